import type { Admitted } from "../../durable-objects/tenant/protocol.ts";
import { type Ran, RUN_MS } from "../calls/governed-call.ts";
import type { Config } from "../config.ts";
import { admittedModels } from "../domain/catalogue/catalogue.ts";
import { busyIn } from "../domain/moderation/busy-judge.ts";
import { isCheck, type MeasuredContent } from "../domain/moderation/plan-moderation.ts";
import { defaultPolicy } from "../domain/moderation/presets.ts";
import type { Engine } from "../engines/engine.ts";
import type { JudgedForeign, Unscored } from "./analyze-comment.ts";
import { runContext } from "./ask-engine.ts";
import { measured, prepare, type PreparedContent } from "./content.ts";
import { placedText } from "./language.ts";
import { prepareStage, runStage, skipped, type StageRun } from "./run-stage.ts";

// A comment in a language that the text model does not read, judged by the paid judge: under the hold of its
// call, like any stage of a moderation.

/** Null: it is longer than a judge reads. */
export function judgedComment(
  text: string,
  language: string | null,
): { readonly content: PreparedContent; readonly measure: MeasuredContent } | null {
  const content = prepare({
    verdictId: "",
    contentId: null,
    userId: null,
    metadata: {},
    language,
    text,
    pictures: [],
    test: null,
    batchId: null,
  });
  if (content.windows?.judge.complete !== true) return null;
  return { content, measure: measured(content) };
}

export interface JudgedComment extends Pick<Ran, "items" | "account"> {
  /** Null: the judge does not read the language, or none is held for. */
  readonly judged: JudgedForeign | Unscored | null;
}

/** Asks the judge that the call holds for. */
export async function judgeComment(
  { engine, config }: { readonly engine: Engine; readonly config: Config },
  { hold }: Pick<Admitted, "hold">,
  content: PreparedContent,
): Promise<JudgedComment> {
  const stage = hold.stages.filter(isCheck).find(({ name }) => name === "judge");
  if (stage === undefined) return { judged: null, items: [], account: null };
  const policy = defaultPolicy(config.inference);
  const placed = placedText(content.text ?? "", content.language, policy);
  const has = { content, pictures: [], placed, withoutAllowed: null };
  const ready = prepareStage(engine, stage, has);
  const modelOf = admittedModels(config.prices);
  const context = runContext({ engine, hold, modelOf, deadlineMs: Date.now() + RUN_MS });
  const run =
    "status" in ready
      ? skipped(stage, engine, ready)
      : await runStage(context, ready.stage, ready.checks, ready.complete);
  const { item } = run;
  const account = engine.name === "workers-ai" ? run.account : null;
  return { judged: judgedBy(run), items: [item], account };
}

function judgedBy({ result, item }: StageRun): JudgedForeign | Unscored | null {
  const { status, scores, failure } = result;
  if (status === "evaluated") return { kind: "judged", scores };
  // It was not asked: it does not read the language.
  if (status === "not_evaluated") return null;
  const busy = busyIn(failure);
  if (busy === null) return { kind: "unavailable" };
  return { kind: "engine_busy", charged: item.microNeurons > 0, ...busy };
}
