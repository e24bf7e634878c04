import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { TEXT_MODEL, TEXT_MODEL_CATEGORIES } from "../../../src/domain/moderation/text-model.ts";
import { judgeText, textModelOf, isReadable } from "../../../src/engines/embedded/text-model.ts";
import { modelLoader } from "../../../src/io/model-asset.ts";
import { Tier0 } from "../../../src/tier0/tier0.ts";
import { RELEASE } from "../../../src/tier0/weights.ts";
import { FOREIGN_THREATS } from "../../moderation/foreign-threats.ts";
import { TEXTS_WITHOUT_LANGUAGE } from "../../moderation/texts-without-language.ts";

const shipped = textModelOf(env.ASSETS);

const inNone = (text: string, load = shipped) => judgeText({ text, language: null }, load);

async function judged(text: string) {
  const found = await inNone(text);
  if (found.kind !== "judged") throw new Error(found.kind);
  return found;
}

describe("the text model", () => {
  it("is named by the version of its file", () => {
    expect(TEXT_MODEL).toBe(`neurogate/tier0@${RELEASE.version}`);
  });

  it("answers for each of its categories, with three decimals", async () => {
    const { scores, negativity, injection } = await judged("You are a stupid idiot.");
    expect(Object.keys(scores)).toEqual(TEXT_MODEL_CATEGORIES);
    for (const score of [...Object.values(scores), negativity, injection]) {
      expect(score).toBe(Math.floor(score * 1_000) / 1_000);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
    expect(scores.harassment).toBeGreaterThanOrEqual(0.7);
  });

  it("judges what has no words that it could misread", async () => {
    for (const text of [
      "42",
      "12:30",
      "🙂",
      "https://x.example/?q=1",
      "!!",
      "rain in Oslo",
      "John",
    ]) {
      const { scores } = await judged(text);
      for (const score of Object.values(scores)) expect(score, text).toBeLessThan(0.5);
    }
  });

  it.each(["ti ammazzo stasera bastardo", "わたしは", "te voy a matar hijo de puta"])(
    "says that it cannot read %s",
    async (text) => {
      expect(await inNone(text)).toEqual({ kind: "unreadable", because: "unknown_words" });
    },
  );

  it.each(TEXTS_WITHOUT_LANGUAGE)("reads %j, which is in no language", async (text) => {
    expect((await inNone(text)).kind).toBe("judged");
  });

  it.each(Object.values(FOREIGN_THREATS).flat())("does not read %j", async (text) => {
    expect(await inNone(text)).toEqual({ kind: "unreadable", because: "unknown_words" });
  });

  it("doubts nothing of a text without a word of English, and says what it is sure of", async () => {
    for (const text of ["Kowalski", "Yuki Tanaka", "\u{1F602}\u{1F602}\u{1F602}", "\u{1F389}"]) {
      const { scores } = await judged(text);
      for (const score of Object.values(scores)) {
        expect(score === 0 || score >= 0.8, text).toBe(true);
      }
    }
    expect((await judged("idiot")).scores.harassment).toBeGreaterThan(0);
  });

  it("reads what is English for certain, whatever words it knows", async () => {
    const asked = { text: "Brillig slithy toves gimble", language: "en" };
    expect((await judgeText(asked, shipped)).kind).toBe("judged");
  });

  it("says so of a text that is longer than what it reads", async () => {
    const text = "word ".repeat(70_000);
    expect(await inNone(text)).toEqual({ kind: "unreadable", because: "too_long" });
  });

  it("is unavailable without its file, or with another one", async () => {
    const wrong = modelLoader({ ...RELEASE, sha256: "0".repeat(64) }, (bytes) => Tier0.read(bytes));
    for (const load of [async () => null, () => wrong.load(env.ASSETS)]) {
      expect(await inNone("hello", load)).toEqual({ kind: "unavailable" });
    }
  });
});

describe("a text in no language", () => {
  it.each(TEXTS_WITHOUT_LANGUAGE)("can be read by English lists: %j", (text) => {
    expect(isReadable(text)).toBe(true);
  });
});

describe.each(Object.entries(FOREIGN_THREATS))("a few words of %s", (_, texts) => {
  it.each(texts)("cannot: %j", (text) => {
    expect(isReadable(text)).toBe(false);
  });
});

describe("what does not help a foreign text through", () => {
  it.each([
    ["a name", "Muere, John"],
    ["a place", "Puta Madrid"],
    ["an address", "https://example.com te voy a matar"],
    ["a program around it", "{ te voy a matar; }"],
    ["a capital", "du Hurensohn"],
    ["digits and signs", "42 te voy a matar :-)"],
    ["an English insult", "maldito idiot"],
    [
      "much English before it",
      `${"This is a lovely day, my friends. ".repeat(20)}te voy a matar hijo de puta vas a morir perro sucio no vales nada muere`,
    ],
    [
      "much English after it",
      `te voy a matar hijo de puta vas a morir perro sucio no vales nada muere ${"This is a lovely day, my friends. ".repeat(20)}`,
    ],
  ])("%s", (_, text) => {
    expect(isReadable(text)).toBe(false);
  });
});

describe("100 KB of hostile text", () => {
  it.each(["a", "@", "'", "a'", "aB", ".", "www.", "\u0301", "a@b", "://"])(
    "%j is read",
    (part) => {
      expect(isReadable(part.repeat(Math.ceil(100_000 / part.length)))).toBeTypeOf("boolean");
    },
  );
});
