import type { Admitted } from "../../durable-objects/tenant/protocol.ts";
import type { Item } from "../domain/ledger/ledger.ts";
import { ZERO } from "../domain/ledger/micro-neurons.ts";
import type { GenerationKind, GenerationStage } from "../domain/generation/plan-generation.ts";
import type { Inferences } from "../engines/inference.ts";
import { isCacheable } from "./cacheable.ts";
import type { GenerationDeps, GenerationRequest } from "./generation-call.ts";
import { type CacheEntry, cacheEntry } from "./response-cache.ts";
import type { GenerationRun } from "./run-generation.ts";

// Answers an admitted generation from the cache if that is allowed and possible, else from the engine. The
// call has its hold and has used its rate by then: a hit saves neurons and bypasses no limit.

/** The engine in the item of a cached answer. */
export const CACHE_ENGINE = "cache";

export type CachedRun<Kind extends GenerationKind> = GenerationRun<Kind> & {
  readonly cache?: "hit" | "miss";
};

interface Question<Kind extends GenerationKind> {
  readonly admitted: Admitted;
  readonly request: GenerationRequest<Kind>;
  readonly stage: GenerationStage;
}

export async function cachedRun<Kind extends GenerationKind>(
  deps: GenerationDeps,
  question: Question<Kind>,
  run: () => Promise<GenerationRun<Kind>>,
): Promise<CachedRun<Kind>> {
  if (question.admitted.cache === undefined) return run();
  const { stage, request } = question;
  const entry = await entryOf(deps, question);
  const before = request.cacheMode === "refresh" ? null : ((await entry?.read()) ?? null);
  if (before !== null) {
    const item = cachedItem(stage, before[0]?.model ?? null);
    return {
      item,
      account: null,
      result: { kind: "answered", answers: before, at: [...before.keys()] },
      cache: "hit",
    };
  }
  const ran = await run();
  // An answer of a fallback is not the planned model's answer.
  if (ran.result.kind === "answered" && ran.item.pricedAs === stage.model) {
    entry?.write(ran.result.answers);
  }
  return { ...ran, cache: "miss" };
}

/** Null when this request cannot be cached. */
async function entryOf<Kind extends GenerationKind>(
  { cache, config }: GenerationDeps,
  { admitted: { cache: terms, hold }, request, stage }: Question<Kind>,
): Promise<CacheEntry<Kind> | null> {
  if (cache === undefined || terms === undefined || request.cacheMode === "skip") return null;
  // A guarded call is judged each time, and so is its answer.
  if (hold.stages.length > 1) return null;
  const asked = inferencesOf(request, stage);
  if (!asked.every((one) => isCacheable(request.kind, one, terms.maxTemperature))) return null;
  const answers = stage.calls.length;
  const question = [request.route, request.kind, config.inference, answers, ...asked];
  return cacheEntry<Kind>(cache, terms, { question, answers, nowMs: hold.admittedAtMs });
}

/** What the engine would be asked, in order: once for the calls that ask for another answer to the same. */
function inferencesOf<Kind extends GenerationKind>(
  { measured, inference }: GenerationRequest<Kind>,
  stage: GenerationStage,
): readonly Inferences[Kind][] {
  const alike = "choices" in measured ? measured.choices : 1;
  return stage.calls.flatMap((_, at) =>
    at % alike === 0 ? [inference(stage.model, stage, at)] : [],
  );
}

/** An answer without any use: a line of 0 µN. */
const cachedItem = (stage: GenerationStage, model: string | null): Item => ({
  content: stage.content,
  stage: stage.name,
  input: stage.input,
  model: model ?? stage.model,
  engine: CACHE_ENGINE,
  pricedAs: stage.model,
  task: stage.task,
  calls: 0,
  units: {},
  microNeurons: ZERO,
  overrun: ZERO,
  basis: "measured",
  failed: false,
});
