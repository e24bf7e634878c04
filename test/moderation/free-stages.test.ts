import { describe, expect, it } from "vitest";
import type { JudgedText, TextToJudge } from "../../src/engines/embedded/text-model.ts";
import { textStage } from "../../src/moderation/free-stages.ts";

const JUDGED: Extract<JudgedText, { kind: "judged" }> = {
  kind: "judged",
  scores: { toxicity: 0.2, hate: 0.9 },
  negativity: 0.6,
  injection: 0.1,
  spansOf: () => [],
};

/** A model that answers so, and counts how often it was asked. */
function judging(answer: JudgedText) {
  const asked: string[] = [];
  const judge = async ({ text }: TextToJudge): Promise<JudgedText> => {
    asked.push(text);
    return answer;
  };
  return { asked, judge };
}

const about = { text: "hello", language: "en", isDecided: false };

describe("the stage of the text model", () => {
  it("names the model and its version, costs nothing, and scores what was asked", async () => {
    const { judge } = judging(JUDGED);
    const { result, seesInjection } = await textStage(judge, about);
    expect(result).toMatchObject({
      name: "tier0",
      model: "neurogate/tier0@1",
      engine: "embedded",
      status: "evaluated",
      scores: { toxicity: 0.2, hate: 0.9 },
      micro_neurons: 0,
      priced_as: null,
    });
    expect(seesInjection).toBe(false);
  });

  it("sees instructions to the model that reads the text from its flag point on", async () => {
    const { judge } = judging({ ...JUDGED, injection: 0.5 });
    expect((await textStage(judge, about)).seesInjection).toBe(true);
  });

  it.each([
    [{ kind: "unreadable", because: "unknown_words" }, "not_evaluated", "unknown_words"],
    [{ kind: "unreadable", because: "too_long" }, "not_evaluated", "too_long"],
    [{ kind: "unavailable" }, "failed", "model_unavailable"],
  ] as const)("is no opinion when the text is %o", async (judged, status, failure) => {
    const { result, seesInjection } = await textStage(judging(judged).judge, about);
    expect(result).toMatchObject({
      status,
      model: null,
      scores: {},
      failure: { kind: failure },
    });
    expect(seesInjection).toBe(false);
  });

  it.each([
    ["in another language", { language: "de" }, "not_evaluated"],
    ["blocked already", { isDecided: true }, "not_required"],
  ] as const)("is not asked of a text that is %s", async (_, fields, status) => {
    const { asked, judge } = judging(JUDGED);
    expect((await textStage(judge, { ...about, ...fields })).result.status).toBe(status);
    expect(asked).toEqual([]);
  });

  it("is asked of a text whose language nobody can tell", async () => {
    const { asked, judge } = judging(JUDGED);
    const { result } = await textStage(judge, { ...about, text: "42", language: null });
    expect(result.status).toBe("evaluated");
    expect(asked).toEqual(["42"]);
  });
});

/** Each sentence has a score of its own. */
const judgeEach = async ({ text }: TextToJudge): Promise<JudgedText> => ({
  ...JUDGED,
  scores: { toxicity: text.startsWith("Rude") ? 0.65 : 0.1 },
  injection: text.startsWith("Order") ? 0.65 : 0,
});

const scored = async (text: string, beside: boolean) =>
  (await textStage(judgeEach, { ...about, text, beside })).result.scores.toxicity;

describe("a second opinion", () => {
  it("looks at each sentence, too: friendly ones hide nothing", async () => {
    expect(await scored("Good day. Rude words. Good night.", true)).toBe(0.65);
    expect(await scored("Good day. Rude words. Good night.", false)).toBe(0.1);
    expect(await scored("Good day. Good night.", true)).toBe(0.1);
    const ordered = { ...about, text: "Good day. Order it.", beside: true };
    expect((await textStage(judgeEach, ordered)).seesInjection).toBe(true);
  });

  it("says what an English sentence shows in a text of another language", async () => {
    const text = "Gestern waren wir mit Freunden am See und im Wald. Rude words are here for all.";
    const { result } = await textStage(judgeEach, {
      text,
      language: "de",
      isDecided: false,
      beside: true,
    });
    expect(result).toMatchObject({ status: "not_evaluated", failure: { kind: "language" } });
    expect(result.scores.toxicity).toBe(0.65);
  });
});
