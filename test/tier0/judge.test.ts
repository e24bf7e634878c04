import { describe, expect, it } from "vitest";
import { HEADS } from "../../src/tier0/heads.ts";
import golden from "./golden.json";
import readings from "./readings.json";
import { theModel } from "./the-weights.ts";

// Mild sentences of our own: what is measured with real ones is in `npm run tier0:evaluate`.

const judge = (text: string) => theModel().judge(text);

describe("the shipped arithmetic", () => {
  it.each(golden)("answers as the float model: $text", ({ text, logits }) => {
    for (const [head, logit] of theModel().logits(text).entries()) {
      expect(Math.abs(logit - (logits[head] ?? Number.NaN)), HEADS[head]).toBeLessThan(0.06);
    }
  });

  // The weights were trained behind one way of reading. What reads a text for terms, phrases and attacks
  // too may learn more disguises; what the model is shown stays, down to the last digit.
  it.each(readings)("reads as it was trained to: $text", ({ text, logits }) => {
    for (const [head, logit] of theModel().logits(text).entries()) {
      expect(logit, HEADS[head]).toBeCloseTo(logits[head] ?? Number.NaN, 3);
    }
  });

  it("gives scores between 0 and 1, whatever the text", () => {
    for (const text of [
      "",
      " ",
      "\u{200B}",
      "!",
      "\u{D83D}",
      "🙂",
      "わたし",
      "a".repeat(5_000),
      "x ".repeat(5_000),
    ]) {
      const { scores, complete } = judge(text);
      expect(complete).toBe(true);
      for (const head of HEADS) {
        expect(scores[head]).toBeGreaterThanOrEqual(0);
        expect(scores[head]).toBeLessThanOrEqual(1);
      }
    }
  });

  it("is the same each time: nothing of a text is kept", () => {
    const before = judge("You are a stupid fool.").scores;
    judge("word ".repeat(3_000));
    expect(judge("You are a stupid fool.").scores).toEqual(before);
  });
});

describe("judgements", () => {
  it.each([
    "What a lovely day.",
    "Open the file, read its first line and close it again.",
    "My neighbour is a Muslim and makes the best soup.",
  ])("leave %s alone", (text) => {
    const { toxicity, hate, threat, insult } = judge(text).scores;
    expect(Math.max(toxicity, hate, threat, insult)).toBeLessThan(0.5);
  });

  it.each([
    "You are a stupid idiot.",
    "y0u 4re 4 stup1d 1d10t",
    "you are a s t u p i d  i d i o t",
    "you are a stu\u{200B}pid id\u{200B}iot",
    "уоu аrе а stuрid idiоt",
    "ＹＯＵ ＡＲＥ Ａ ＳＴＵＰＩＤ ＩＤＩＯＴ",
    "you are a stupid\ridiot",
  ])("see the insult in %j", (text) => {
    expect(judge(text).scores.insult).toBeGreaterThanOrEqual(0.5);
  });

  it("find a sentence within a long text, wherever it is", () => {
    const filler = "The committee met on Tuesday and agreed to look at the plan again. ".repeat(
      200,
    );
    const insult = "You are a stupid idiot and a worthless fool. ";
    expect(judge(filler).scores.insult).toBeLessThan(0.5);
    for (const text of [insult + filler, filler + insult, filler + insult + filler]) {
      expect(judge(text).scores.insult).toBeGreaterThanOrEqual(0.5);
    }
  });
});

describe("spans", () => {
  it("show what drives a head, in the original text", () => {
    const text =
      "🙂 Thank you for the tea, but you are a ｓｔｕｐｉｄ idiot and I told the neighbours about it.";
    const found = judge(text)
      .spansOf("insult")
      .map(({ start, end }) => text.slice(start, end));
    expect(found.join(" ")).toMatch(/ｓｔｕｐｉｄ|idiot/);
    expect(found.join(" ")).not.toMatch(/tea|neighbours/);
  });

  it("stay within the text, and are few", () => {
    for (const text of ["", "a", "stupid ".repeat(500), "\u{D83D} idiot"]) {
      for (const head of HEADS) {
        const spans = judge(text).spansOf(head);
        expect(spans.length).toBeLessThanOrEqual(5);
        for (const { start, end } of spans) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
        }
      }
    }
  });
});

const share = (text: string): number => {
  const { words, known } = judge(text).share;
  return words === 0 ? 1 : known / words;
};

describe("what is known of a text", () => {
  it.each([
    "I love pizza",
    "rain in Oslo",
    "John Smith",
    "thank you very much",
    "The meeting with Mrs Vrzalova is at noon",
    "you are a stupid 1d10t",
  ])("is half of it or more: %s", (text) => expect(share(text)).toBeGreaterThanOrEqual(0.5));

  it.each([
    "Ich bringe dich heute Abend um",
    "te voy a matar hijo de puta",
    "je vais te tuer ce soir",
    "ti ammazzo stasera bastardo",
    "vou te matar hoje seu lixo",
    "zabiję cię dziś wieczorem",
    "ik maak je vanavond dood",
  ])("is less than half: %s", (text) => expect(share(text)).toBeLessThan(0.5));

  it("counts no numbers, addresses, signs or emoji", () => {
    expect(judge("42 12:30 https://x.example 🙂 @anna !").share).toEqual({
      words: 0,
      known: 0,
      letters: true,
    });
    expect(judge("42 12:30 🙂 !").share).toEqual({ words: 0, known: 0, letters: false });
    expect(judge("我爱你").share).toEqual({ words: 1, known: 0, letters: true });
  });
});
