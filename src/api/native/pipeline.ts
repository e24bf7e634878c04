import * as v from "valibot";
import { shaped, stated } from "../../http/field-errors.ts";
import {
  DEFAULT_RETENTION_DAYS,
  DOCUMENT_TYPES,
  hasText,
  MAX_RETENTION_DAYS,
} from "../../domain/documents/document.ts";
import { DECISIONS } from "../../domain/moderation/verdict.ts";
import { MAX_PIPELINE_TEXT_BYTES, MAX_RUN_DOCUMENTS } from "../../domain/pipelines/run.ts";
import { type StepName, STEPS } from "../../domain/pipelines/step.ts";
import { microNeuronsOut, name, policyName, wholeNumber } from "../field.ts";
import { documentId } from "./document.ts";
import { failedAs, progress, resumeInput, runState, stepTimes, wholeCount } from "./run.ts";
import { strictObject } from "../object-input.ts";

// Pipelines on the wire.

const MOST_CATEGORIES = 50;

const InlineDocumentInput = strictObject({
  id: v.optional(documentId),
  type: v.pipe(v.picklist(DOCUMENT_TYPES), v.description("What kind of text it is.")),
  user_id: v.optional(name("The person whose document it is.")),
  content: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxBytes(MAX_PIPELINE_TEXT_BYTES),
    v.check(stated("must have text", hasText)),
    v.description("The text, at most 64 KB in UTF-8."),
  ),
  language: v.optional(
    v.pipe(
      v.string(),
      v.regex(shaped(/^[a-z]{2,3}$/, "must be a language such as en")),
      v.description("ISO 639-1; absent: it is found."),
    ),
  ),
  categories: v.optional(
    v.pipe(v.array(name("A category.")), v.minLength(2), v.maxLength(MOST_CATEGORIES)),
  ),
  retention_days: v.optional(
    wholeNumber(1, MAX_RETENTION_DAYS, "How long `store` keeps it."),
    DEFAULT_RETENTION_DAYS,
  ),
});

export type InlineDocument = v.InferOutput<typeof InlineDocumentInput>;

/** The id of a stored document, or a document. */
export const RunDocumentInput = v.union([documentId, InlineDocumentInput]);

export const RunInput = strictObject({
  documents: v.pipe(
    v.array(RunDocumentInput),
    v.minLength(1),
    v.maxLength(MAX_RUN_DOCUMENTS),
    v.description("Ids of stored documents, or documents. Never URLs."),
  ),
  steps: v.pipe(
    v.array(v.picklist(STEPS)),
    v.minLength(1),
    v.maxLength(STEPS.length),
    v.check(stated("must name each step once", (steps: StepName[]) => isDistinct(steps))),
    v.description(
      "They run in the order of this list, whatever the order in the request. `fetch` runs always.",
    ),
  ),
  policy: v.optional(policyName),
  model: v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(128),
      v.description("A model for the tasks, or an alias; absent: the default of documents."),
    ),
  ),
  resume: resumeInput,
});

const isDistinct = (values: readonly string[]): boolean => new Set(values).size === values.length;

const cost = {
  micro_neurons: microNeuronsOut("What it cost so far."),
  neurons: v.number(),
  usd: v.pipe(v.string(), v.description("The same at Cloudflare's price, exact.")),
};

export const RunOutput = v.object({
  id: name("`run_` and a ULID."),
  object: v.literal("pipeline_run"),
  state: runState,
  steps: v.pipe(v.array(v.picklist(STEPS)), v.description("In the order in which they run.")),
  policy: v.nullable(v.string()),
  model: v.nullable(v.string()),
  counts: v.object({
    documents: wholeCount,
    pending: wholeCount,
    succeeded: v.pipe(wholeCount, v.description("Documents whose steps all succeeded.")),
    failed: wholeCount,
    failed_as: failedAs,
  }),
  ...cost,
  ...progress,
});

export const RunStepOutput = v.object({
  object: v.literal("pipeline_step"),
  run_id: v.string(),
  document: v.pipe(wholeCount, v.description("The document's place in the request, from 0.")),
  document_id: v.string(),
  name: v.picklist(STEPS),
  status: v.pipe(
    v.picklist(["running", "waiting", "succeeded", "failed"]),
    v.description("waiting: it is tried again."),
  ),
  attempts: v.pipe(
    wholeCount,
    v.description("How often it was begun, repeats after a crash included."),
  ),
  calls: v.pipe(wholeCount, v.description("How many of its calls have ended: 3 at most.")),
  ...stepTimes("When it ended."),
  ...cost,
  decision: v.pipe(v.nullable(v.picklist(DECISIONS)), v.description("Of `moderate`.")),
  failed_as: v.pipe(
    v.nullable(v.string()),
    v.description("The failure of its last call; null: it did not fail."),
  ),
});
