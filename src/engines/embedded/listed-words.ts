import type { ListedWords } from "../../domain/moderation/comment-attributes.ts";
import { asWords, spellOut } from "../../domain/text/spell-out.ts";

// How foul and how lewd the words of an English text are, no matter who is meant. These are word lists: "holy
// shit, that is good" is no attack, and "the dick in charge" no sexual text, so no head of the model scores
// them as one. The disguises that `spell-out.ts` knows are spelt out first. One pass.

const listed = (found: ListedWords, ...lines: readonly string[]) =>
  lines.flatMap((line) => line.split(" ")).map((word) => [word, found] as const);

const STRONG_LEWD: ListedWords = { profanity: "strong", lewdness: "lewd" };
const STRONG: ListedWords = { profanity: "strong", lewdness: "coarse" };
const MILD_LEWD: ListedWords = { profanity: "mild", lewdness: "lewd" };
const MILD_COARSE: ListedWords = { profanity: "mild", lewdness: "coarse" };
const MILD: ListedWords = { profanity: "mild", lewdness: "none" };
const LEWD: ListedWords = { profanity: "none", lewdness: "lewd" };
const COARSE: ListedWords = { profanity: "none", lewdness: "coarse" };

/** Only these whole words count: longer words that begin with one are harmless ("dickens", "cocktail"). */
const WHOLE: ReadonlyMap<string, ListedWords> = new Map([
  ...listed(
    STRONG_LEWD,
    "dick dicks dickhead dickheads cock cocks cocksucker cocksuckers cum cums cumming",
    "pussy pussies prick pricks twat twats wanker wankers wank dildo dildos jizz boner milf milfs",
    "tit tits titties ass asses jackass dumbass smartass badass asshat asswipe penis vagina",
    "blowjob blowjobs handjob rimjob slut sluts slutty whore whores skank skanks bukkake",
    "fck fuk fuks fukn fuking",
  ),
  ...listed(
    STRONG,
    "fag fags faggot faggots kike spic bastard bastards bollocks nigga niggas nigger niggers tard",
    "wtf stfu gtfo douchebag",
  ),
  ...listed(MILD_LEWD, "arse boob boobs"),
  ...listed(MILD_COARSE, "suck sucks sucked sucker suckers screwed bum bums balls"),
  ...listed(
    MILD,
    "damn damned goddamn goddamned hell crap crappy bloody bugger piss pissed pissing fart farts",
    "turd turds douche poop pee dammit freaking frigging frickin omfg lmfao",
  ),
  ...listed(
    LEWD,
    "sex sexy horny cumshot cumshots fap fapping orgy orgies threesome gangbang creampie deepthroat",
    "handjobs rimjobs bdsm wanks wanking shagging humping titty boobies boners ballsack nutsack",
    "scrotum testicle testicles anus anal arses nipple nipples schlong phallus vulva clit clits",
    "buttplug penises vaginas vaginal xxx nude nudes whoring hooker hookers hentai",
  ),
  ...listed(
    COARSE,
    "sexual sexually sexuality naked nudity breast breasts butt butts buttocks sucking",
    "rape raped raping rapes rapist rapists incest pervert perverts perverted fetish bestiality",
    "prostitute prostitutes prostitution pedo pedophile pedophiles intercourse semen sperm condom",
    "condoms",
  ),
]);

/** Also within longer words. */
const LEWD_WITHIN = /fuck|cunt|asshole|arsehole|motherf/;
const WITHIN = /shit(?!ak)|bitch/;
/** Words that contain one of those by chance. */
const HARMLESS = /^(?:shitt?ah|shiite?s?|shitake|shittim|scunthorpe|mishit|mishits)$/;
const LEWD_BEGINNING =
  /^(?:porn|erotic|masturbat|orgasm|ejaculat|fellat|cunniling|sodom[iy]|genital)/;

function classOf(word: string): ListedWords | null {
  const whole = WHOLE.get(word);
  if (whole !== undefined) return whole;
  if (LEWD_WITHIN.test(word)) return HARMLESS.test(word) ? null : STRONG_LEWD;
  if (WITHIN.test(word)) return HARMLESS.test(word) ? null : STRONG;
  return LEWD_BEGINNING.test(word) ? LEWD : null;
}

/** Without apostrophes, so that words in quotes count. */
const WORD = /[a-z]+/g;

/** The worst class of the words of a text, for either meaning. */
export function listedWords(text: string): ListedWords {
  let profanity: ListedWords["profanity"] = "none";
  let lewdness: ListedWords["lewdness"] = "none";
  for (const [word] of asWords(spellOut(text)).matchAll(WORD)) {
    const found = classOf(word);
    if (found === null) continue;
    if (profanity === "none" || found.profanity === "strong") profanity = found.profanity;
    if (lewdness === "none" || found.lewdness === "lewd") lewdness = found.lewdness;
    if (profanity === "strong" && lewdness === "lewd") break;
  }
  return { profanity, lewdness };
}
