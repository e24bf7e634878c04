import { chatInputBound, classifierInputBound } from "../generation/token-bound.ts";
import { findFor, outputTokensAtMost, type UnfitModel } from "../generation/plan-generation.ts";
import type { Model, Usage } from "../catalogue/catalogue.ts";
import { type FindModel, planCalls, type PlannedStage } from "../moderation/stage.ts";
import type { DocumentTask } from "./task.ts";

// Plans the tasks of a document before anything runs: a stage for each task that asks a model, priced at the
// most that its calls can use.

/** The cheapest priced model that follows instructions in twelve languages: 1.5 neurons per 1,000 tokens. */
export const DEFAULT_MODEL = "@cf/ibm-granite/granite-4.0-h-micro";

export const SENTIMENT_MODEL = "@cf/huggingface/distilbert-sst-2-int8";

/** The measures of one engine call: sizes, never content. Tokens are upper bounds. */
export type MeasuredCall =
  | {
      readonly kind: "chat";
      /** Of all messages. */
      readonly textTokens: number;
      readonly maxTokens: number;
    }
  | { readonly kind: "classification"; readonly text: number };

export interface MeasuredTask {
  readonly task: DocumentTask;
  /** All of one kind, and at least one. */
  readonly calls: readonly [MeasuredCall, ...MeasuredCall[]];
}

/** A task that asks a model. */
export interface TaskStage extends PlannedStage {
  readonly name: DocumentTask;
  readonly input: "document";
}

export type AnalysisPlan =
  | { readonly kind: "planned"; readonly stages: readonly TaskStage[] }
  | UnfitModel;

/**
 * @param models of the tasks that ask a language model: as the caller named it, then its fallbacks. A
 *   fallback that cannot be used is left out
 * @returns stages in the order of the tasks; the sentiment is left out where its model may not run
 */
export function planAnalysis(
  tasks: readonly MeasuredTask[],
  [id, ...fallbackIds]: readonly [string, ...string[]],
  find: FindModel,
): AnalysisPlan {
  const stages: TaskStage[] = [];
  for (const measured of tasks) {
    const isChat = measured.calls[0].kind === "chat";
    const primary = isChat ? findFor(id, "text_generation", find) : find(SENTIMENT_MODEL);
    if (primary.kind !== "found") {
      if (!isChat) continue;
      return primary;
    }
    const fallbacks = (isChat ? fallbackIds : []).flatMap((fallback) => {
      const found = findFor(fallback, "text_generation", find);
      return found.kind === "found" ? [found.model] : [];
    });
    const models: [Model, ...Model[]] = [primary.model, ...fallbacks];
    stages.push({
      content: 0,
      name: measured.task,
      input: "document",
      model: primary.model.id,
      fallbacks: fallbacks.map((model) => model.id),
      ...planCalls(models, {
        usages: (model) => measured.calls.map((call) => usageOf(model, call)),
        ownTokens: () => 0,
      }),
    });
  }
  return { kind: "planned", stages };
}

const usageOf = (model: Model, call: MeasuredCall): Usage =>
  call.kind === "chat"
    ? {
        input_token: chatInputBound(model, { textTokens: call.textTokens, messages: 2, images: 0 }),
        output_token: outputTokensAtMost(model, call.maxTokens),
      }
    : { input_token: classifierInputBound(model, call.text) };
