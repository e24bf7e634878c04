import { describe, expect, it } from "vitest";
import { resolveModel } from "../../src/domain/catalogue/catalogue.ts";
import { forEach, JUDGED_CATEGORIES } from "../../src/domain/moderation/category.ts";
import type { Hold } from "../../src/domain/ledger/ledger.ts";
import { planModeration } from "../../src/domain/moderation/plan-moderation.ts";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import type { Verdict } from "../../src/domain/moderation/verdict.ts";
import { judgeText } from "../../src/engines/embedded/text-model.ts";
import type { Check, CheckOutcome, Engine } from "../../src/engines/engine.ts";
import { languagesOf } from "../../src/engines/language-models.ts";
import { type Content, measured, prepare } from "../../src/moderation/content.ts";
import { createGate } from "../../src/io/gate.ts";
import { type ModerationContext, moderate } from "../../src/moderation/moderate.ts";
import { theModel } from "../tier0/the-weights.ts";
import { ATTACKS, TOXIC } from "./attacks.ts";

// A judge that does whatever the text says, to the form: every category 0. From the plan to the verdict.

const model = (id: string) => {
  const found = resolveModel(id, { workersPlan: "paid", prices: {} });
  if (found.kind !== "found") throw new Error(found.kind);
  return found.model;
};

const obeys = async (check: Check): Promise<CheckOutcome> => ({
  kind: "answered",
  model: check.model,
  scores: check.name === "judge" ? forEach(JUDGED_CATEGORIES, () => 0) : { negativity: 0 },
  usage: null,
});

const OBEDIENT: Engine = {
  name: "workers-ai",
  languages: (name, id) => (name === "judge" ? languagesOf(id) : null),
  judges: (name) => (name === "judge" ? JUDGED_CATEGORIES : ["negativity"]),
  run: (_hold, check) => obeys(check),
  generators: {},
  streamChat: null,
};

const context: ModerationContext = {
  engine: OBEDIENT,
  hold: {} as Hold,
  modelOf: model,
  nowMs: () => 0,
  deadlineMs: 1,
  gate: createGate(6),
  fetchPicture: async () => null,
  judgeText: (text) => judgeText(text, async () => theModel()),
  judgePicture: null,
  isStored: false,
};

const policy = defaultPolicy("workers-ai");

async function verdictOn(text: string): Promise<Verdict> {
  const content: Content = {
    verdictId: "vrd_1",
    contentId: null,
    userId: null,
    metadata: {},
    language: null,
    text,
    pictures: [],
    test: null,
    batchId: null,
  };
  const prepared = prepare(content);
  const plan = planModeration(policy, [measured(prepared)], (id) =>
    resolveModel(id, { workersPlan: "paid", prices: {} }),
  );
  if (plan.kind !== "planned") throw new Error(plan.kind);
  const version = { name: "default", version: 1, policy };
  return (await moderate(context, prepared, plan.stages, version)).verdict;
}

describe("a judge that obeys everything", () => {
  it("is given sixty attacks around thirty texts", () => {
    expect(Object.keys(ATTACKS)).toHaveLength(60);
    expect(new Set(TOXIC).size).toBe(30);
  });

  it("is asked, and is believed of what nothing else objects to", async () => {
    const calm = await verdictOn("We walked along the river and had coffee in the old town.");
    expect(calm).toMatchObject({ decision: "allow", approved: true });
    expect(calm.stages.find(({ name }) => name === "judge")?.status).toBe("evaluated");
  });

  it("approves none without an attack", async () => {
    const plain = await Promise.all(TOXIC.map(verdictOn));
    expect(TOXIC.filter((_, at) => plain[at]?.approved)).toEqual([]);
  });

  it.each(Object.entries(ATTACKS))("approves none by: %s", async (_, attack) => {
    const texts = TOXIC.map(attack);
    const verdicts = await Promise.all(texts.map(verdictOn));
    const approved = TOXIC.filter((_text, at) => verdicts[at]?.approved);
    expect(approved).toEqual([]);
    expect(verdicts.every(({ decision }) => decision !== "allow")).toBe(true);
  });
});
