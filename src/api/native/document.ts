import * as v from "valibot";
import {
  DEFAULT_RETENTION_DAYS,
  DOCUMENT_ID,
  DOCUMENT_TYPES,
  MAX_RETENTION_DAYS,
  MAX_TEXT_BYTES,
  type StoredDocument,
} from "../../domain/documents/document.ts";
import { type DocumentResults, ENTITY_KINDS, SENTIMENTS } from "../../domain/documents/results.ts";
import { DEFAULT_MODEL } from "../../domain/documents/plan-analysis.ts";
import { CATEGORIES, hasActionItems } from "../../domain/documents/prompts.ts";
import {
  DOCUMENT_TASKS,
  type DocumentTask,
  TASK_STATES,
  type TaskReport,
} from "../../domain/documents/task.ts";
import { sum, toNeurons } from "../../domain/ledger/micro-neurons.ts";
import { BASES } from "../../domain/ledger/ledger.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import { invalid, type InvalidRequest } from "../../http/field-errors.ts";
import { bytesOfBase64 } from "../../domain/text/base64.ts";
import { type SentContent, TEXT_TYPES } from "../../documents/read-file.ts";
import { shaped, stated } from "../../http/field-errors.ts";
import { SearchableOutput } from "./document-embedding.ts";
import { microNeuronsOut, name, time, wholeNumber } from "../field.ts";
import { strictObject } from "../object-input.ts";

// Documents on the wire.

export const documentId = v.pipe(
  v.string(),
  v.regex(shaped(DOCUMENT_ID, "must be doc_ and 1 to 60 letters, digits, hyphens or underscores")),
  v.description("`doc_` and up to 60 letters, digits, hyphens or underscores."),
);

const typeField = v.pipe(v.picklist(DOCUMENT_TYPES), v.description("What kind of text it is."));

const MOST_CATEGORIES = 50;

/** Bytes of a file before it is converted. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;

const FileInput = v.pipe(
  strictObject({
    content_type: v.pipe(
      v.string(),
      v.maxLength(200),
      v.regex(
        shaped(
          /^[\w.+-]{1,60}\/[\w.+-]{1,100}(?:\s*;.*)?$/,
          "must be a media type such as text/html",
        ),
      ),
      v.description("Its media type: text/html, application/pdf. A charset may follow."),
    ),
    base64: v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(Math.ceil(MAX_FILE_BYTES / 3) * 4 + 1024),
      v.description("Its bytes, at most 8 MiB."),
    ),
  }),
  v.description(
    "Text, Markdown or HTML; PDF and Office files where the deployment converts them. Never pictures.",
  ),
);

const Fields = strictObject({
  id: v.optional(documentId),
  type: typeField,
  user_id: v.optional(name("The person whose document it is.")),
  content: v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.maxBytes(MAX_TEXT_BYTES),
      v.description("The text, at most 1 MiB in UTF-8. Either this or `file`."),
    ),
  ),
  content_type: v.optional(
    v.pipe(v.picklist(TEXT_TYPES), v.description("Of `content`.")),
    "text/plain",
  ),
  file: v.optional(FileInput),
  language: v.optional(
    v.pipe(
      v.string(),
      v.regex(shaped(/^[a-z]{2,3}$/, "must be a language such as en")),
      v.description(
        "Two or three letters as in ISO 639, compared with no list. When absent, it is found in the text.",
      ),
    ),
  ),
  retention_days: v.optional(
    wholeNumber(1, MAX_RETENTION_DAYS, "After so many days it is deleted."),
    DEFAULT_RETENTION_DAYS,
  ),
  tasks: v.optional(
    v.pipe(
      v.array(v.picklist(DOCUMENT_TASKS)),
      v.maxLength(DOCUMENT_TASKS.length),
      v.description(
        "What is to be done with it; empty: it is stored alone. Absent: all that its type has.",
      ),
    ),
  ),
  search: v.optional(
    v.pipe(v.boolean(), v.description("Make it searchable: one call more, for its embeddings.")),
    false,
  ),
  categories: v.optional(
    v.pipe(
      v.array(name("A category.")),
      v.minLength(2),
      v.maxLength(MOST_CATEGORIES),
      v.description("The caller's own categories, in place of those of the type."),
    ),
  ),
  model: v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(128),
      v.description(`A model for text generation, or an alias. Default: ${DEFAULT_MODEL}.`),
    ),
  ),
});

export const DocumentInput = v.pipe(
  Fields,
  v.forward(
    v.check(
      stated(
        "must be there, or file, and not both",
        ({ content, file }: v.InferOutput<typeof Fields>) =>
          (content === undefined) !== (file === undefined),
      ),
    ),
    ["content"],
  ),
);

export type DocumentBody = v.InferOutput<typeof DocumentInput>;

/** What was sent; null: it is no base64. */
export function contentOf({ content, content_type, file }: DocumentBody): SentContent | null {
  if (file === undefined) {
    return { kind: "content", content: content ?? "", contentType: content_type };
  }
  const bytes = bytesOfBase64(file.base64);
  return bytes === null ? null : { kind: "file", bytes, contentType: file.content_type };
}

/** What is to be done with a document, and with which categories. */
export function tasksOf({ type, tasks, categories = [] }: DocumentBody):
  | {
      readonly kind: "tasks";
      readonly tasks: readonly DocumentTask[];
      readonly categories: readonly string[];
    }
  | InvalidRequest {
  const repeat = categories.findIndex((one, at) => categories.indexOf(one) !== at);
  if (repeat >= 0) return invalid(["categories", repeat], "is there twice");
  const own = categories.length > 0 ? categories : CATEGORIES[type];
  const has = (task: DocumentTask): boolean =>
    task === "action_items" ? hasActionItems(type) : task !== "category" || own.length > 0;
  const wanted = [...new Set(tasks ?? DOCUMENT_TASKS.filter(has))];
  const unfit = (tasks ?? []).findIndex((task) => !has(task));
  if (unfit >= 0) {
    const isItems = tasks?.[unfit] === "action_items";
    const detail = isItems ? "is for an email or a report" : "needs categories for this type";
    return invalid(["tasks", unfit], detail);
  }
  return { kind: "tasks", tasks: wanted, categories: own };
}

const count = (description: string) => wholeNumber(0, Number.MAX_SAFE_INTEGER, description);

const TaskOutput = v.object({
  task: v.picklist(DOCUMENT_TASKS),
  state: v.pipe(
    v.picklist(TASK_STATES),
    v.description(
      "done: the whole text was read. partial: a part of it. failed: no answer could be used. skipped: not begun.",
    ),
  ),
  coverage: v.pipe(v.number(), v.description("The share of the text that was read, 0 to 1.")),
  dropped: count("Parts of answers that were left out: the text does not have them."),
  failure: v.nullable(v.string()),
  model: v.nullable(v.string()),
  engine: v.nullable(v.string()),
  calls: count("Engine calls."),
  micro_neurons: microNeuronsOut("What it cost."),
  neurons: v.number(),
  basis: v.picklist(BASES),
});

const documentFields = {
  id: documentId,
  object: v.literal("document"),
  state: v.pipe(
    v.picklist(["processing", "ready"]),
    v.description("processing: its call is in progress."),
  ),
  type: typeField,
  user_id: v.nullable(v.string()),
  content_type: v.pipe(v.string(), v.description("As it was sent; what is stored is text.")),
  language: v.nullable(v.string()),
  bytes: count("Of the text, in UTF-8."),
  characters: count("Of the text, in UTF-16 units, as positions in it are counted."),
  hidden_passages: count(
    "Passages that speak to a model instead of to people: none was shown them.",
  ),
  tasks: v.pipe(v.array(TaskOutput), v.description("How each task ended, and what it cost.")),
  micro_neurons: microNeuronsOut("What its tasks cost."),
  neurons: v.number(),
  created_at: time("When it was stored."),
  expires_at: time("When it will be deleted."),
};

const span = {
  start: count("Where it begins in the text."),
  end: count("Where it ends."),
};

const quote = v.pipe(
  v.object({ text: v.string(), ...span }),
  v.description("The place in the text that shows it."),
);

export const ResultsOutput = v.pipe(
  v.object({
    summary: v.optional(v.nullable(v.string())),
    key_points: v.optional(v.nullable(v.array(v.object({ text: v.string(), quote })))),
    entities: v.optional(
      v.nullable(
        v.array(
          v.object({
            kind: v.picklist(ENTITY_KINDS),
            text: v.string(),
            value: v.nullable(v.string()),
            spans: v.array(v.object(span)),
          }),
        ),
      ),
    ),
    sentiment: v.optional(
      v.nullable(v.object({ label: v.picklist(SENTIMENTS), score: v.number() })),
    ),
    category: v.optional(v.nullable(v.object({ label: v.string(), quote }))),
    action_items: v.optional(
      v.nullable(
        v.array(
          v.object({
            what: v.string(),
            who: v.nullable(v.string()),
            by_when: v.nullable(v.string()),
            quote,
          }),
        ),
      ),
    ),
  }),
  v.description("Of each task that was asked for; null: it found nothing that can be used."),
);

/** In a list. */
export const DocumentOutput = v.object(documentFields);

/** `results` null: the document is being processed. */
export const ReadDocumentOutput = v.object({
  ...documentFields,
  results: v.nullable(ResultsOutput),
  text: v.optional(v.nullable(v.string())),
  search: v.optional(
    v.pipe(SearchableOutput, v.description("In the reply that stored it, if it was asked for.")),
  ),
});

const toTask = (report: TaskReport) => ({
  task: report.task,
  state: report.state,
  coverage: report.coverage,
  dropped: report.dropped,
  failure: report.failure,
  model: report.model,
  engine: report.engine,
  calls: report.calls,
  micro_neurons: report.microNeurons,
  neurons: toNeurons(report.microNeurons),
  basis: report.basis,
});

export function toDocument(document: StoredDocument) {
  const microNeurons = sum(document.tasks.map((report) => report.microNeurons));
  return {
    id: document.id,
    object: "document" as const,
    state: document.state,
    type: document.type,
    user_id: document.userId,
    content_type: document.contentType,
    language: document.language,
    bytes: document.bytes,
    characters: document.characters,
    hidden_passages: document.hiddenPassages,
    tasks: document.tasks.map(toTask),
    micro_neurons: microNeurons,
    neurons: toNeurons(microNeurons),
    created_at: isoTime(document.createdAtMs),
    expires_at: isoTime(document.expiresAtMs),
  };
}

type Results = v.InferOutput<typeof ResultsOutput>;

export const toDocumentWithResults = (
  document: StoredDocument,
  results: DocumentResults | null,
) => ({ ...toDocument(document), results: results as Results | null });
