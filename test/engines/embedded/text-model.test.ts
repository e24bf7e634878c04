import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { TEXT_MODEL, TEXT_MODEL_CATEGORIES } from "../../../src/domain/text-model.ts";
import { judgeText, textModelOf } from "../../../src/engines/embedded/text-model.ts";
import { modelLoader } from "../../../src/io/model-asset.ts";
import { RELEASE } from "../../../src/tier0/release.ts";
import { Tier0 } from "../../../src/tier0/tier0.ts";

const shipped = textModelOf(env.ASSETS);

async function judged(text: string) {
  const found = await judgeText(text, shipped);
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
      expect(await judgeText(text, shipped)).toEqual({ kind: "unreadable" });
    },
  );

  it("says so of a text that is longer than what it reads", async () => {
    const text = "word ".repeat(70_000);
    expect(await judgeText(text, shipped)).toEqual({ kind: "unreadable" });
  });

  it("is unavailable without its file, or with another one", async () => {
    const wrong = modelLoader({ ...RELEASE, sha256: "0".repeat(64) }, (bytes) => Tier0.read(bytes));
    for (const load of [async () => null, () => wrong.load(env.ASSETS)]) {
      expect(await judgeText("hello", load)).toEqual({ kind: "unavailable" });
    }
  });
});
