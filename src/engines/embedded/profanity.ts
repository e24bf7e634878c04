import { asWords, spellOut } from "../../domain/text/spell-out.ts";

// How foul the words of an English text are, no matter who is meant. This is a word list, since
// "holy shit, that is good" is no attack and no head of the model scores it as one. The disguises that
// `spell-out.ts` knows are spelt out first. One pass.

/** Only these whole words count: longer words that begin with one are harmless ("dickens", "cocktail"). */
const STRONG_WORDS: ReadonlySet<string> = new Set([
  ..."dick dicks dickhead dickheads cock cocks cocksucker cocksuckers cum cums cumming".split(" "),
  ..."pussy pussies prick pricks twat twats wanker wankers wank fag fags faggot faggots".split(" "),
  ..."tit tits titties ass asses jackass dumbass smartass badass asshat asswipe kike spic".split(
    " ",
  ),
  ..."bastard bastards bollocks dildo dildos jizz nigga niggas nigger niggers tard milf".split(" "),
  ..."penis vagina boner blowjob blowjobs handjob rimjob slut sluts slutty whore whores".split(" "),
  ..."wtf stfu gtfo milfs fck fuk fuks fukn fuking skank skanks bukkake douchebag".split(" "),
]);

/** A word that contains one of these is strong. */
const ANYWHERE = /fuck|cunt|shit(?!ak)|bitch|asshole|arsehole|motherf/;

/** Words that contain one of those by chance. */
const HARMLESS = /^(?:shitt?ah|shiite?s?|shitake|shittim|scunthorpe|mishit|mishits)$/;

const MILD: ReadonlySet<string> = new Set([
  ..."damn damned goddamn goddamned hell crap crappy bloody bugger arse piss pissed pissing".split(
    " ",
  ),
  ..."suck sucks sucked sucker suckers screwed bum bums balls boobs boob fart farts turd".split(
    " ",
  ),
  ..."turds douche poop pee dammit freaking frigging frickin omfg lmfao".split(" "),
]);

const WORD = /[a-z']+/g;

export type Profanity = "strong" | "mild" | "none";

export function profanityOf(text: string): Profanity {
  const spelled = spellOut(text);
  let mild = false;
  for (const [word] of asWords(spelled).matchAll(WORD)) {
    if (isStrong(word)) return "strong";
    if (MILD.has(word)) mild = true;
  }
  return mild ? "mild" : "none";
}

const isStrong = (word: string): boolean =>
  STRONG_WORDS.has(word) || (ANYWHERE.test(word) && !HARMLESS.test(word));
