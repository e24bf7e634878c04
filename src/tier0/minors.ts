import { normalForm } from "../domain/text/normal-form.ts";
import type { Span } from "./tier0.ts";
import type { Token } from "./vocabulary.ts";

// Whether a text asks for sexual pictures of a child, or mentions a child in a sexual text. The model has no
// head for this (there is almost nothing to train one on), so it is a composite of the score of its sexual
// head and of words for a person's age. It can show that something is there, but never that nothing is:
// otherwise the category stays not evaluated.
//
// The words are read as the model reads them, through every disguise that it recognises. They were chosen
// before any evaluation was made, and are not fitted to one (docs/tier0.md).

export interface Minors {
  /** On the scale of policies. */
  readonly score: number;
  readonly spans: readonly Span[];
}

// The words of the composite: words for a young person, sexual words, and words of a request.

const words = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/));

const CHILD =
  words(`child children childs kid kids kiddie kiddies kiddy minor minors toddler toddlers
  infant infants preteen preteens tween tweens underage underaged schoolgirl schoolgirls schoolboy
  schoolboys teen teens teenage teenager teenagers jailbait loli lolis lolita lolitas lolicon shota
  shotacon prepubescent prepubescents youngster youngsters juvenile juveniles`);

const YOUNG = words("little lil young small younger tiny wee underage pre school");
const GIRL_OR_BOY = words(
  "girl girls boy boys one ones sis sister brother bro lad lads teen teens",
);
const FAMILY = words(`daughter daughters son sons niece nieces nephew nephews stepdaughter stepson
  granddaughter granddaughters grandson grandsons grandchild grandchildren goddaughter godson`);
const SCHOOL = words("elementary middle primary grade nursery");
const AT_SCHOOL = words("school schooler schoolers");
const GRADER = words("grader graders kindergarten kindergartener kindergarteners kindergartner");

const NUMBERS = `one two three four five six seven eight nine ten eleven twelve thirteen fourteen
  fifteen sixteen seventeen`.split(/\s+/);
const YEARS = words("year years yr yrs y yo yos");
const BEFORE_AGE = words(
  "'m 's 're i'm im am she's shes he's hes ur you're youre r is are was turned aged age",
);
const LIMITS = words("under below than underneath");
/** After one of these, a number is no age. */
const UNITS =
  words(`minute minutes min mins hour hours day days week weeks month months mile miles km
  pm am feet foot inch inches pound pounds lbs kg cm dollars euros times percent out of / x %`);

/** Words that are sexual by themselves. */
const SEXUAL =
  words(`porn porno porns pornography pornographic sex sexual sexually nude nudes nudity
  naked nakid xxx erotic erotica explicit lewd lewds topless bottomless unclothed undressed undressing
  undress stripping striptease masturbate masturbating masturbation genitals genitalia privates pussy
  pussies vagina penis dick dicks cock cocks boobs boobies tits titties breasts nipples nsfw sexy
  hentai intimate rape raped raping molest molested molesting fuck fucking fucked blowjob`);
/** After "sex" and "sexual": education, statistics or crime. */
const NOT_SEXUAL = words(`education ed educator health offender offenders trafficking ratio
  orientation identity discrimination`);
const TOUCHED = words("touched touching fondled fondling groped spread spreading posing");
const SUFFERED = words("abuse abused assault exploitation harassment violence abuser abusers");
const WORN =
  words(`underwear undies panties knickers bra lingerie thong diaper swimsuit swimsuits bikini
  bikinis speedo bath bathtub tub shower bathroom`);
const BARE = words("clothes clothing clothed nothing anything dressed shirt pants top");
const WITHOUT = words("without no off removed remove with wearing less");
const PARTS = words("body bodies butt butts bum ass chest bottom crotch");
const POSSESSIVES = words("your ur her his their its yr");

const PICTURE =
  words(`pic pics pix picture pictures photo photos photograph photographs photography image
  images imgs img video videos vid vids film films movie movies clip clips footage content material
  materials selfie selfies snap snaps webcam cam cams livestream gif gifs album albums collection
  collections folder folders nude nudes lewd lewds porn porno pornography hentai art drawing drawings render
  renders story stories fiction fanfic fanfiction roleplay`);
const WANTED =
  words(`send sending sent share sharing trade trading trades swap swapping sell selling
  sells buy buying want wants wanna wanting need needs needed looking look seeking searching search
  show showing give giving gimme post posts posting upload uploading dm pm get getting download downloading
  find finding see seeing watch watching provide generate generating make making create creating draw
  drawing write record recording take taking pass drop link links anyone anybody someone who where any
  please pls plz collect collecting request requesting offer offering pay paying exchange exchanging
  have got love like enjoy prefer hook into interested`);
const SEEN = words(`see seeing watch watching show showing film filming record recording photograph
  draw drawing generate create render`);
/** Words of people who trade in pictures. */
const DEALT = words("trade trading trades swap swapping dm pm pay paying collect collecting");
const SOMEBODY = words("anyone anybody someone somebody who");
const HAVING = words("has have got");
/** People to whom a child should not talk about it. */
const PARENTS = words(
  "mom mum mommy mummy mother mama dad daddy father papa parents parent teacher",
);
const SECRECY = words("tell told telling know knows secret find");
const CODE = words("cp csam pthc c.p csem");
const TRADED =
  words(`trade trading sell selling buy buying link links send share sharing swap vids pics
  videos pack packs stash collection mega telegram dm`);

/** Every preset flags it; only `strict` blocks it, since no judge has read the text. */
const DEMAND = 0.69;

/** A sexual text that mentions a young person: a person should look. */
const SUSPECT = 0.45;

/** The other words must be within this many tokens of the word for a child. */
const REACH = 16;

/** The most age words that are examined, so that a text full of them costs no more. */
const MOST_AGES = 2_000;

/** The meanings of a token, as bits. */
const AGE = 1;
const KIN = 2;
const SEX = 4;
const UNDRESS = 8;
const PICTURES = 16;
const WANT = 32;
const SEE = 64;

/**
 * @param about.sexual the score of the sexual head for `about.window`, from 0 to 1
 * @param about.window the range of tokens with that score
 */
export function minorsIn(
  text: string,
  tokens: readonly Token[],
  about: { readonly sexual: number; readonly window: { from: number; to: number } | undefined },
): Minors | null {
  const cues = tokens.map((_, at) => cuesAt(text, tokens, at));
  const sign = tokens.findIndex(
    (_, at) =>
      isTradedCode(tokens, at) ||
      isDealtIn(tokens, cues, at) ||
      isKeptFromParents(tokens, cues, at),
  );
  let suspect: Minors | null =
    sign < 0 ? null : { score: SUSPECT, spans: spansOf(tokens, [sign, sign + 1]) };
  let examined = 0;
  for (const [at, cue] of cues.entries()) {
    if ((cue & (AGE | KIN)) === 0) continue;
    examined += 1;
    if (examined > MOST_AGES) break;
    const [from, to] = [Math.max(0, at - REACH), Math.min(tokens.length, at + REACH + 1)];
    let near = 0;
    for (let other = from; other < to; other += 1) near |= cues[other] ?? 0;
    const spans = () => spansOf(tokens, marked(cues, [from, to]));
    if (isDemand(cue, near)) return { score: DEMAND, spans: spans() };
    if (suspect !== null) continue;
    const isPictured = has(near, SEX | PICTURES);
    if (isPictured || (has(cue, AGE) && isSexualAt(at, about))) {
      suspect = { score: SUSPECT, spans: spans() };
    }
  }
  return suspect;
}

const has = (cues: number, all: number): boolean => (cues & all) === all;

function isDemand(cue: number, near: number): boolean {
  const isSexual = has(near, SEX) || has(near, UNDRESS);
  if (isSexual && has(near, PICTURES | WANT)) return true;
  return has(cue, AGE) && has(near, SEX | SEE);
}

/**
 * From this score on the `default` preset flags a text as sexual anyway, so a person sees it: then it should
 * be marked as what it is. Below, the head is not reliable for ordinary sentences about children.
 */
const SURELY_SEXUAL = 0.7;

const isSexualAt = (
  at: number,
  { sexual, window }: { sexual: number; window: { from: number; to: number } | undefined },
): boolean =>
  sexual >= SURELY_SEXUAL && window !== undefined && at >= window.from && at < window.to;

/** The words that caused the match, without those of the request. */
const marked = (cues: readonly number[], [from, to]: readonly [number, number]): number[] =>
  [...cues.keys()]
    .slice(from, to)
    .filter((at) => ((cues[at] ?? 0) & (AGE | KIN | SEX | UNDRESS)) !== 0);

const MOST_SPANS = 5;

const spansOf = (tokens: readonly Token[], at: readonly number[]): Span[] =>
  at.slice(0, MOST_SPANS).flatMap((index) => {
    const token = tokens[index];
    return token === undefined ? [] : [{ start: token.start, end: token.end }];
  });

/** Every word that may be a cue: almost no words of ordinary texts are in it. */
const CUE_WORDS = new Set(
  [
    CHILD,
    GRADER,
    GIRL_OR_BOY,
    AT_SCHOOL,
    FAMILY,
    SEXUAL,
    WORN,
    BARE,
    PARTS,
    TOUCHED,
    PICTURE,
    WANTED,
    SEEN,
    PARENTS,
    new Set([...NUMBERS, "grade"]),
  ].flatMap((list) => [...list]),
);

function cuesAt(text: string, tokens: readonly Token[], at: number): number {
  const word = wordAt(tokens, at);
  if (!CUE_WORDS.has(word) && !startsWithDigit(text, tokens[at])) return 0;
  let cues = 0;
  if (isAge(text, tokens, at)) cues |= AGE;
  if (FAMILY.has(word)) cues |= KIN;
  const next = wordAt(tokens, at + 1);
  const isOfSex = word === "sex" || word === "sexual" || word === "sexually";
  if (isOfSex && SUFFERED.has(next)) cues |= UNDRESS;
  else if (SEXUAL.has(word) && !(isOfSex && NOT_SEXUAL.has(next))) cues |= SEX;
  if (isUndress(tokens, at)) cues |= UNDRESS;
  if (PICTURE.has(word)) cues |= PICTURES;
  if (WANTED.has(word)) cues |= WANT;
  if (SEEN.has(word)) cues |= SEE;
  return cues;
}

const sliceAt = (text: string, token: Token | undefined): string =>
  token === undefined ? "" : normalForm(text.slice(token.start, token.end), "NFKC").toLowerCase();

function startsWithDigit(text: string, token: Token | undefined): boolean {
  if (token === undefined) return false;
  const first = text.charCodeAt(token.start);
  return (first >= 0x30 && first <= 0x39) || (first >= 0xff10 && first <= 0xff19);
}

const wordAt = (tokens: readonly Token[], at: number): string => tokens[at]?.word ?? "";

/** The words before a token, the nearest first, without the marks between them. */
function before(tokens: readonly Token[], at: number, count: number): string[] {
  const found: string[] = [];
  for (let back = at - 1; back >= 0 && found.length < count; back -= 1) {
    const word = wordAt(tokens, back);
    if (word !== "-" && word !== "'" && word !== ".") found.push(word);
  }
  return found;
}

/** "in her underwear", "in the bath", "with no clothes on", "of your body". */
function isUndress(tokens: readonly Token[], at: number): boolean {
  const word = wordAt(tokens, at);
  if (WORN.has(word)) {
    return before(tokens, at, 3).some((one) => ["in", "wearing", "only", "just"].includes(one));
  }
  if (BARE.has(word)) {
    const near = [...before(tokens, at, 2), wordAt(tokens, at + 1)];
    return near.some((one) => WITHOUT.has(one));
  }
  if (TOUCHED.has(word)) return true;
  return PARTS.has(word) && before(tokens, at, 2).some((one) => POSSESSIVES.has(one));
}

function isAge(text: string, tokens: readonly Token[], at: number): boolean {
  const word = wordAt(tokens, at);
  if (CHILD.has(word) || GRADER.has(word)) return true;
  const [last = ""] = before(tokens, at, 1);
  if (GIRL_OR_BOY.has(word) && YOUNG.has(last)) return true;
  if (AT_SCHOOL.has(word) && SCHOOL.has(last)) return true;
  if (word === "grade" && /\d(?:st|nd|rd|th)$/.test(sliceAt(text, tokens[at - 1]))) return true;
  return isYears(text, tokens, at);
}

/** Whether a number is somebody's age below eighteen. */
function isYears(text: string, tokens: readonly Token[], at: number): boolean {
  const token = tokens[at];
  if (token === undefined) return false;
  const isDigit = startsWithDigit(text, token);
  const spelled = isDigit ? 0 : NUMBERS.indexOf(token.word) + 1;
  if (!isDigit && spelled === 0) return false;
  const written = /^(\d{1,2})(yo|y|yr|yrs|year|years|f|m)?$/.exec(sliceAt(text, token));
  const age = spelled > 0 ? spelled : Number(written?.[1] ?? 0);
  if (age < 1 || age > 18) return false;
  const [last = "", second = ""] = before(tokens, at, 2);
  if (LIMITS.has(last) && !UNITS.has(wordAt(tokens, at + 1))) return true;
  if (age === 18) return false;
  if (written?.[2] !== undefined) return true;
  const after = [1, 2].map((by) => wordAt(tokens, at + by)).filter((one) => one !== "-");
  if (YEARS.has(after[0] ?? "")) return true;
  // "14?"
  if (age >= 8 && wordAt(tokens, at + 1) === "?") return true;
  if (age < 3 || UNITS.has(wordAt(tokens, at + 1))) return false;
  const isOnly = ["only", "just", "like", "about", "barely"].includes(last);
  return (
    BEFORE_AGE.has(last) ||
    (isOnly && (BEFORE_AGE.has(second) || ["i", "she", "he", "u", "you"].includes(second)))
  );
}

function isTradedCode(tokens: readonly Token[], at: number): boolean {
  if (!CODE.has(wordAt(tokens, at))) return false;
  for (let other = Math.max(0, at - 4); other <= at + 4; other += 1) {
    if (other !== at && TRADED.has(wordAt(tokens, other))) return true;
  }
  return false;
}

/**
 * "anyone got pics of young boys", "trading videos of 8 yo girls"; not of the writer's own family, and not of
 * a child's belongings.
 */
function isDealtIn(tokens: readonly Token[], cues: readonly number[], at: number): boolean {
  if (!has(cues[at] ?? 0, AGE) || ["'s", "'"].includes(wordAt(tokens, at + 1))) return false;
  const last = before(tokens, at, 5);
  const of = last.findIndex((word) => word === "of" || word === "with");
  if (of < 0 || !PICTURE.has(last[of + 1] ?? "")) return false;
  if (last.slice(0, of).some((word) => word === "my" || word === "our")) return false;
  for (let other = Math.max(0, at - REACH); other <= at + REACH; other += 1) {
    const word = wordAt(tokens, other);
    if (DEALT.has(word)) return true;
    if (SOMEBODY.has(word) && HAVING.has(wordAt(tokens, other + 1))) return true;
  }
  return false;
}

/** "send me a pic, and don't tell your mom". */
function isKeptFromParents(tokens: readonly Token[], cues: readonly number[], at: number): boolean {
  if (
    !PARENTS.has(wordAt(tokens, at)) ||
    !before(tokens, at, 2).some((one) => POSSESSIVES.has(one))
  ) {
    return false;
  }
  const last = before(tokens, at, 6);
  const isSecret =
    last.includes("n't") ||
    last.includes("not") ||
    last.includes("secret") ||
    last.includes("never");
  if (!isSecret || !last.some((word) => SECRECY.has(word))) return false;
  let near = 0;
  for (let other = Math.max(0, at - REACH); other <= at + REACH; other += 1) {
    near |= cues[other] ?? 0;
  }
  return has(near, PICTURES | WANT);
}
