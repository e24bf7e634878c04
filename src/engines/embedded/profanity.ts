import {
  DataSet,
  englishDataset,
  englishRecommendedTransformers,
  type ParsedPattern,
  pattern,
  RegExpMatcher,
} from "obscenity";
import { profanityScreen } from "./profanity-screen.ts";

// English profanity and slurs, from the list of `obscenity` (MIT; after `cuss`), which also reads
// leet, confusables and repeated letters. Its list does not grade words: that is done here.

export interface Profanity {
  readonly kind: "slur" | "profane" | "mild" | "sexual";
  readonly start: number;
}

/** Against people for what they are. */
const SLURS = new Set(
  words(`
    abo abeed africoon arabush boonga chingchong chink dyke fag kike nigger retard spastic tranny
    spic gook wetback beaner raghead towelhead paki wog shemale coon
  `),
);
/** Said in anger or in jest, hardly ever to wound. */
const MILD = new Set(["arse", "bollocks", "piss", "turd", "wank", "wtf"]);
/** About sex and bodies: crude or clinical, not an attack. */
const SEXUAL = new Set([
  ...words(`
    anal anus bestiality blowjob boob buttplug cum deepthroat dildo doggystyle ejaculate felch
    fellatio fisting gangbang handjob hentai hooker incest jizz lubejob masturbate orgasm orgy penis
    porn rape scat semen sex tit vagina
  `),
  "double penetration",
  "finger bang",
  "jerk off",
]);

/** Slurs that the list lacks, and spellings of what it has. `|` is the edge of a word. */
const FURTHER: readonly (readonly [string, ...ParsedPattern[]])[] = [
  ["spic", pattern`|spic[s]|`],
  ["gook", pattern`|gook[s]|`],
  ["wetback", pattern`wetback`],
  ["beaner", pattern`|beaner`],
  ["raghead", pattern`raghead`],
  ["towelhead", pattern`towelhead`],
  ["paki", pattern`|paki[s]|`],
  ["wog", pattern`|wog[s]|`],
  ["coon", pattern`|coon[s]|`],
  ["shemale", pattern`shemale`],
  ["fuck", pattern`|stfu|`, pattern`phuck`],
  ["wtf", pattern`|wtf|`],
];

/** Innocent words in which the list's patterns find something, from reading benign text. */
const INNOCENT = `
  annals analgesic analogue reanalys anushka assort assyria assc asst cockpit cocktail cumin cummings
  cum_laude dick_cheney dick_van_dyke moby_dick k._dick dickins dickson dickey riddick burdick
  feckless fukushima fagioli maine_coon niggard phuket phucket pussycat pussy_cat pussy_willow
  rapeseed rappel retardant retardation chink_in shiite shiitake traffick vandyke gobbledygook
`;

function buildDataset() {
  const dataset = new DataSet<{ originalWord: string }>().addAll(englishDataset);
  for (const [originalWord, ...patterns] of FURTHER) {
    dataset.addPhrase((phrase) =>
      patterns.reduce((all, one) => all.addPattern(one), phrase.setMetadata({ originalWord })),
    );
  }
  return dataset.addPhrase((phrase) =>
    words(INNOCENT).reduce(
      (all, word) => all.addWhitelistedTerm(word.replaceAll("_", " ")),
      phrase.setMetadata({ originalWord: "" }),
    ),
  );
}

const DATASET = buildDataset();
const LIST = DATASET.build();
const MATCHER = new RegExpMatcher({ ...LIST, ...englishRecommendedTransformers });
const mayMatch = profanityScreen(LIST.blacklistedTerms);

/** Words with their middle starred out: `f**k`, `s***`, `a**hole`, `n*****`. */
const STARRED =
  /(?<![a-z0-9*#])(?:(f[*#]{2,3}(?:k|ing|er)?|s[*#]{2,3}t?|sh[*#]{1,2}t?|b[*#]{2,4}h|b[*#]{4}|c[*#]{2}t|c[*#]{3}|a[*#]{2}hole|d[*#]{2}k)|(n[*#]{4,5}|f[*#]{2,4}ots?))(?![a-z0-9*#])/g;

/** What stands in `text`, once for each place. `text` is spelled out, and short (a window). */
export function findProfanity(text: string): Profanity[] {
  const found = new Map<number, Profanity>();
  for (const match of mayMatch(text) ? MATCHER.getAllMatches(text) : []) {
    const word = DATASET.getPayloadWithPhraseMetadata(match).phraseMetadata?.originalWord ?? "";
    // "bitch" and "ass" in one place count once, as the graver.
    const start = text.lastIndexOf(" ", match.startIndex) + 1;
    const kind = grade(word);
    if (!found.has(start) || kind === "slur") found.set(start, { kind, start });
  }
  for (const match of text.matchAll(STARRED)) {
    found.set(match.index, {
      kind: match[1] === undefined ? "slur" : "profane",
      start: match.index,
    });
  }
  return [...found.values()];
}

function grade(word: string): Profanity["kind"] {
  if (SLURS.has(word)) return "slur";
  if (SEXUAL.has(word)) return "sexual";
  return MILD.has(word) ? "mild" : "profane";
}

function words(list: string): string[] {
  return list.trim().split(/\s+/);
}
