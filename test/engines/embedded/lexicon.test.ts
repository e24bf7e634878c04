import { describe, expect, it } from "vitest";
import { lexiconToxicity } from "../../../src/engines/embedded/lexicon.ts";

/** 100,000 characters of it. */
const of = (part: string) => part.repeat(Math.ceil(100_000 / part.length)).slice(0, 100_000);

const toxicity = (text: string) => lexiconToxicity(text, "en") ?? Number.NaN;

describe("toxicity by word lists", () => {
  it.each([
    "",
    "Hello!",
    "ok thanks",
    "have a nice day",
    "The parcel came late and the box was damaged, a terrible service.",
    "Scunthorpe United beat Sussex in the Essex classic",
    "an assessment of the assembly's assets by the associate",
    "the flame retardant foam of the Dickens edition",
    "a chink in the armour",
    "gay people are great and my trans friend agrees",
    "I hate Mondays",
    "this app is useless, the menu is ugly and the manual is garbage",
    "Disgusting. Garbage!",
    "you are not an idiot, you are wonderful",
    "your joke made me laugh, you troll",
    "constructor __proto__ toString hasOwnProperty valueOf",
  ])("finds %j clean", (text) => {
    expect(toxicity(text)).toBeLessThanOrEqual(0.2);
  });

  it.each([
    ["an ordinary profanity at nobody", "shit, I lost my keys", 0.75, 0.75],
    ["two of them", "shit, where are my fucking keys", 0.9, 0.95],
    ["a profanity said to someone", "fuck you", 0.8, 0.9],
    ["a mild insult at you", "you useless idiot", 0.7, 0.89],
    ["an insult in a sales pitch", "Buy now, you useless idiot - limited offer!", 0.7, 0.89],
    ["an adjective", "you are so pathetic", 0.7, 0.89],
    ["an insult said backwards", "what a moron you are", 0.7, 0.89],
    ["an insult that is all there is", "Idiot!", 0.7, 0.89],
    ["several insults", "you idiot. you are a pathetic loser. you moron", 0.9, 1],
    ["a slur", "go home, wetback", 0.9, 1],
    ["a wish of death", "just kill yourself", 0.9, 1],
    ["a threat", "i will find and kill you", 0.9, 1],
    ["contempt for a group", "immigrants are vermin", 0.8, 0.9],
    ["hate of a group", "I hate all women", 0.8, 0.9],
    ["an insult about someone else", "he is a moron", 0.4, 0.69],
    ["an insult about a name", "Robert is an idiot", 0.4, 0.69],
    ["a stupid thing", "what a stupid bug in the parser of this library", 0.1, 0.4],
    ["a word about the body", "a drawing of the vagina and the anus", 0.3, 0.5],
  ])("weighs %s", (_, text, least, most) => {
    expect(toxicity(text)).toBeGreaterThanOrEqual(least);
    expect(toxicity(text)).toBeLessThanOrEqual(most);
  });

  it("does not add up what stands pages apart, nor weak signals", () => {
    const page = "The weather was mild and the train was on time. ".repeat(30);
    expect(toxicity(`shit ${page} shit`)).toBe(0.75);
    expect(toxicity("sex and porn and orgasm and penis")).toBe(0.4);
  });

  it("finds an insult anywhere in a long text", () => {
    const page = "The weather was mild and the train was on time. ".repeat(1000);
    expect(toxicity(`${page} you useless idiot ${page}`)).toBeGreaterThanOrEqual(0.7);
    for (let shift = 0; shift < 600; shift += 37) {
      expect(toxicity(`${"z ".repeat(shift)}. you useless idiot. ${page}`)).toBe(0.8);
    }
  });

  it("never reads half a word as another", () => {
    for (let shift = 0; shift < 20; shift += 1) {
      const text =
        "y".repeat(shift) + " classic massive assessment of the Scunthorpe cockpit ".repeat(100);
      expect(toxicity(text)).toBe(0);
    }
  });

  it("answers for no language but English", () => {
    expect(lexiconToxicity("fuck", "de")).toBeNull();
    // Of a text that nobody can place it needs to know the words.
    expect(lexiconToxicity("fuck", null)).toBe(0.75);
    expect(lexiconToxicity("Du Idiot", null)).toBeNull();
    expect(lexiconToxicity("42", null)).toBe(0);
    expect(lexiconToxicity("Guten Morgen", "de")).toBeNull();
  });
});

describe("obfuscation", () => {
  it.each([
    ["leet", "y0u us3l3ss 1d10t"],
    ["leet signs", "you $tup!d m0r0n"],
    ["spaced letters", "you i d i o t"],
    ["all letters spaced", "y o u  a r e  a n  i d i o t"],
    ["dotted letters", "you i.d.i.o.t"],
    ["dashed letters", "you i-d-i-o-t"],
    ["spaced leet", "you 1 d 1 0 t"],
    ["repeated letters", "you stuuuupid idioooot"],
    ["zero-width characters", "you id\u200bi\u200d\u2060ot"],
    ["soft hyphens", "you id\u00adi\u00adot"],
    ["variation selectors and tags", "you id\ufe0fi\u{e0061}ot"],
    ["full-width letters", "ｙｏｕ ｉｄｉｏｔ"],
    ["mathematical letters", "𝓎𝑜𝓊 𝒾𝒹𝒾𝑜𝓉"],
    ["circled letters", "ⓨⓞⓤ ⓘⓓⓘⓞⓣ"],
    ["Cyrillic lookalikes", "yоu іdіоt"],
    ["Greek lookalikes", "yου ιdιοt"],
    ["diacritics", "yóù ídìöt"],
    ["stacked marks", "y\u0301\u0302\u0303o\u0301u\u0301 i\u0301d\u0301\u0302iot"],
    ["capitals", "YOU IDIOT"],
    ["a curly apostrophe", "you’re an idiot"],
  ])("sees through %s", (_, text) => {
    expect(toxicity(text)).toBeGreaterThanOrEqual(0.7);
  });

  it.each([
    "f u c k",
    "f.u.c.k",
    "fuuuuck",
    "fvck",
    "f**k",
    "f*ck",
    "sh1t",
    "s h i t",
    "ｆｕｃｋ",
    "fu\u200bck",
    "а$$hоlе",
    "phuck",
    "b!tch",
  ])("knows %j for what it is", (text) => {
    expect(toxicity(`oh ${text} that hurts`)).toBeGreaterThanOrEqual(0.7);
  });

  it.each([
    "I have $100 and 50% of 3.5",
    "call 555-1234",
    "A B C D",
    "e.g. U.S.A. and I.M. Pei",
    "a**b",
    "5 * 4 * 3",
    "mp3 covid19 1st 4k b2b",
  ])("makes nothing of %j", (text) => {
    expect(toxicity(text)).toBeLessThanOrEqual(0.2);
  });
});

describe("100 KB of hostile text", () => {
  it.each([
    ["one letter", "a", 0],
    ["single letters", "a ", 0],
    ["letters and separators", "a -._*", 0],
    ["exclamation marks", "!", 0],
    ["leet alone", "1!|+", 0],
    ["leet and letters", "a1", 0],
    ["stars", "*", 0],
    ["what is allowed, around what is not", "assass assa ", 0],
    ["zero-width characters", "\u200b", 0],
    ["stacked marks", "a\u0301\u0301\u0301", 0],
    ["lookalikes", "аеор", 0],
    ["lone surrogates", "\ud800", 0],
    ["links to a subject", "you are a ", 0],
    ["beginnings of threats", "i will but ", 0],
    ["apostrophes", "'", 0],
    ["lines", "\n", 0],
    ["ligatures that grow eighteenfold", "ﷺ", 0],
    ["profanity", "fuck ", 1],
    ["profanity without spaces", "fuck", 0.75],
    ["starred words", "f**k ", 1],
  ])("reads through %s", (_, part, expected) => {
    expect(toxicity(of(part))).toBe(expected);
  });

  it("still finds what such text hides", () => {
    expect(toxicity(`${of("a -._*")} you useless idiot`)).toBeGreaterThanOrEqual(0.7);
    expect(toxicity(`${of("!")}a you useless idiot`)).toBeGreaterThanOrEqual(0.7);
  });
});
