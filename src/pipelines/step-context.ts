import type { BegunStep, StepOutcome } from "../domain/pipelines/run-step.ts";
import type { itemIds } from "../domain/runs/item-ids.ts";
import { type CallFailure, meaningOf, Unclear } from "../domain/runs/outcome.ts";
import type { Config } from "../config.ts";
import type { PictureOwner } from "../domain/generation/stored-picture.ts";
import { PIPELINE_ROUTE } from "../domain/ledger/rate-limit.ts";
import type { PipelineRun, RunDocument } from "../domain/pipelines/run.ts";
import type { StepName } from "../domain/pipelines/step.ts";
import { callerOfRun } from "../domain/runs/run.ts";
import { engineOf, recordInferences, tenantObject } from "../edge/bindings.ts";
import type { DocumentDeps } from "../documents/document-call.ts";

// What every step of a document has, and how the failure of its call is reported.

/**
 * What an instance remembers of a document from step to step, so that it asks once. An instance that starts
 * anew remembers nothing, and asks again.
 */
export interface DocumentMemory {
  /** The next step, as the report of the one before began it. */
  begun: { readonly step: number; readonly work: BegunStep } | null;
  /** The document's line of the run's file, at most 64 KB and its labels. */
  line: string | null;
  /** The text of a stored document. */
  stored: { readonly file: string; readonly text: string } | null;
}

export const emptyMemory = (): DocumentMemory => ({ begun: null, line: null, stored: null });

export interface StepContext {
  readonly env: Env;
  readonly config: Config;
  readonly bucket: R2Bucket;
  readonly tenantId: string;
  readonly owner: PictureOwner;
  readonly run: PipelineRun;
  readonly position: number;
  readonly document: RunDocument;
  readonly step: StepName;
  readonly memory: DocumentMemory;
  /** Of this try: a repeat of it has the same. */
  readonly ids: ReturnType<typeof itemIds>;
  /** What the call of this try was charged, in µN; null: it has not ended. */
  readonly chargeOf: () => Promise<number | null>;
  /** With it a call that has ended gives its reply again. */
  readonly idempotency: { readonly key: string; readonly fingerprint: string };
}

/** The caller and the ids of this try's call. */
export const whoOf = (context: StepContext, userId: string | null) => ({
  callId: context.ids.callId,
  requestId: context.ids.requestId,
  route: PIPELINE_ROUTE,
  caller: callerOfRun(context.run),
  userId,
  context: context.run.context,
  runId: context.run.id,
  documentId: context.document.documentId,
  step: context.step,
  idempotency: context.idempotency,
});

export const documentDeps = ({ env, config, bucket, tenantId }: StepContext): DocumentDeps => ({
  config,
  engine: engineOf(config, env),
  tenant: () => tenantObject(env, tenantId),
  bucket,
  tenantId,
  observe: recordInferences(env, tenantId),
});

/** Whether the run reads this stored document, and no other one that had its id. */
export async function isOfRun(
  { env, tenantId, owner, run, position, document }: StepContext,
  file: string,
): Promise<boolean> {
  const kept =
    document.file ??
    (await tenantObject(env, tenantId).pinRunDocument(owner.generation, {
      id: run.id,
      position,
      file,
    }));
  return kept === file;
}

/** A failure that another try does not change, and that cost nothing. */
export const failed = (as: string): StepOutcome => ({
  kind: "failed",
  as,
  microNeurons: 0,
  again: false,
});

/** Failures of an engine, and of a call that was cut short: another try may succeed. */
const AGAIN: readonly string[] = [
  "engine_failed",
  "engine_busy",
  "engine_timeout",
  "expired",
  "internal",
  "idempotency_replay_unavailable",
];

export const isAgain = (as: string): boolean => AGAIN.includes(as);

/** A run that is silent for 70 s counts as stuck. */
const MOST_WAIT_MS = 60_000;

/** @throws Unclear when it is not known whether the call was charged */
export async function failureOf(
  { chargeOf }: StepContext,
  failure: CallFailure,
): Promise<StepOutcome> {
  const meaning = meaningOf(failure);
  if (meaning.kind !== "own") return meaning;
  const microNeurons = await chargeOf();
  // A refused call has no line. One that may have been admitted is asked for again, under the same ids.
  if (meaning.mayBeCharged && microNeurons === null) throw new Unclear(failure.kind);
  const { as } = meaning;
  const { retryAfterMs, refused } = failure;
  return {
    kind: "failed",
    as,
    microNeurons: microNeurons ?? 0,
    again: isAgain(as) && refused !== true,
    ...(retryAfterMs !== undefined && { waitMs: Math.min(retryAfterMs, MOST_WAIT_MS) }),
  };
}
