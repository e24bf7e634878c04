import { describe, expect, it } from "vitest";
import { resolveModel } from "../../src/domain/catalogue/catalogue.ts";
import { forEach, JUDGED_CATEGORIES } from "../../src/domain/moderation/category.ts";
import type { Hold } from "../../src/domain/ledger/ledger.ts";
import { isPictureText, type Policy } from "../../src/domain/moderation/policy.ts";
import { type CheckStage, planModeration } from "../../src/domain/moderation/plan-moderation.ts";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import type { Verdict } from "../../src/domain/moderation/verdict.ts";
import { judgeText } from "../../src/engines/embedded/text-model.ts";
import type { Check, CheckOutcome, Engine } from "../../src/engines/engine.ts";
import type { Picture } from "../../src/engines/picture.ts";
import { type Content, measured, prepare } from "../../src/moderation/content.ts";
import { createGate } from "../../src/io/gate.ts";
import { moderate, type ModerationContext } from "../../src/moderation/moderate.ts";
import { theModel } from "../tier0/the-weights.ts";

// What a call holds nothing for is not judged, and nobody stands in for who would have judged it.

const WRITTEN = "Our library has many books about gardens and trees";

const answered = (check: Check, more: object): CheckOutcome => ({
  kind: "answered",
  model: check.model,
  scores: {},
  usage: null,
  ...more,
});

const ENGINE: Engine = {
  name: "workers-ai",
  languages: () => null,
  judges: () => ["nsfw"],
  async run(_hold, check) {
    if (check.name === "vision") {
      const quoted = { text: WRITTEN, complete: true };
      return answered(check, { scores: { nsfw: 0 }, quoted });
    }
    if (check.name === "labels")
      return answered(check, { labels: [{ name: "tabby", score: 0.9 }] });
    return answered(check, { scores: forEach(JUDGED_CATEGORIES, () => 0) });
  },
  generators: {},
  streamChat: null,
};

const find = (id: string) => resolveModel(id, { workersPlan: "paid" as const, prices: {} });

const context: ModerationContext = {
  engine: ENGINE,
  hold: {} as Hold,
  modelOf: (id) => {
    const found = find(id);
    if (found.kind !== "found") throw new Error(found.kind);
    return found.model;
  },
  nowMs: () => 0,
  deadlineMs: 1,
  gate: createGate(6),
  fetchPicture: async () => null,
  judgeText: (text) => judgeText(text, async () => theModel()),
  judgePicture: null,
  isStored: false,
};

const picture: Picture = { bytes: new Uint8Array(4), format: "png", width: 1, height: 1 };

const CONTENT: Content = {
  verdictId: "vrd_1",
  contentId: null,
  userId: null,
  metadata: {},
  language: null,
  text: null,
  pictures: [{ kind: "picture", picture }],
  test: null,
  batchId: null,
};

/** Of texts only toxicity is required, which the small text model could answer for. */
const few: Policy = {
  ...defaultPolicy("workers-ai"),
  categories: forEach(
    Object.keys(defaultPolicy("workers-ai").categories) as (keyof Policy["categories"])[],
    (category) => {
      const rule = defaultPolicy("workers-ai").categories[category];
      return category === "toxicity" || rule.inputs.includes("image")
        ? rule
        : { ...rule, inputs: [], required: false };
    },
  ),
};

async function verdictWith(stages: (all: readonly CheckStage[]) => readonly CheckStage[]) {
  const content = prepare(CONTENT);
  const plan = planModeration(few, [measured(content)], find);
  if (plan.kind !== "planned") throw new Error(plan.kind);
  const version = { name: "default", version: 1, policy: few };
  return (await moderate(context, content, stages(plan.stages), version)).verdict;
}

const ofWriting = ({ stages }: Verdict) => stages.filter(({ input }) => isPictureText(input));

describe("writing in a picture", () => {
  it("is approved where all that was planned was asked", async () => {
    const verdict = await verdictWith((all) => all);
    expect(verdict).toMatchObject({ approved: true, coverage: { toxicity: "evaluated" } });
    expect(ofWriting(verdict).map(({ name }) => name)).toEqual(["tier0", "judge"]);
  });

  it("is not approved where the call holds nothing for its judge", async () => {
    const verdict = await verdictWith((all) => all.filter(({ input }) => !isPictureText(input)));
    expect(verdict).toMatchObject({
      decision: "flag",
      approved: false,
      coverage: { toxicity: "not_evaluated", nsfw: "evaluated" },
    });
    const judge = ofWriting(verdict).find(({ name }) => name === "judge");
    expect(judge).toMatchObject({ status: "not_evaluated", failure: { kind: "not_held" } });
  });
});
