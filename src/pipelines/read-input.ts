import * as v from "valibot";
import { type InlineDocument, RunDocumentInput } from "../api/native/pipeline.ts";
import { readDocumentText } from "../documents/stored-files.ts";
import {
  type DocumentType,
  type StoredDocument,
  storableText,
} from "../domain/documents/document.ts";
import { CATEGORIES } from "../domain/documents/prompts.ts";
import { utf8Bytes } from "../domain/generation/token-bound.ts";
import { MAX_PIPELINE_TEXT_BYTES } from "../domain/pipelines/run.ts";
import { runDocumentsKey } from "../domain/pipelines/run-files.ts";
import type { StepName } from "../domain/pipelines/step.ts";
import { callerOfRun } from "../domain/runs/run.ts";
import { tenantObject } from "../edge/bindings.ts";
import { isOfRun, type StepContext } from "./step-context.ts";

// A document of a run: one that is stored, or one that came with the request. Never anything from a URL.

export interface StepInput {
  readonly kind: "input";
  readonly text: string;
  readonly type: DocumentType;
  readonly userId: string | null;
  readonly language: string | null;
  readonly categories: readonly string[];
  /** As it came with the request; null: it was stored before. */
  readonly inline: InlineDocument | null;
  /** As it is stored; null: it is not yet, or no longer. */
  readonly stored: StoredDocument | null;
}

/** The id of a document of the request is that of a stored one. */
export const ID_TAKEN = "id_taken";

const NOT_FOUND = { kind: "not_found" } as const;

/** Steps to which it matters whether a document of the request is stored by now. */
const KEEPING: readonly StepName[] = ["fetch", "store", "embed"];

/** @param from where the document begins in the run's file */
export async function readInput(
  context: StepContext,
  step: StepName,
  from: number,
): Promise<StepInput | { readonly kind: "failed"; readonly as: string }> {
  const { document } = context;
  const line = await readLine(context, from);
  if (line === null) return { kind: "failed", as: "documents_missing" };
  const said = v.parse(RunDocumentInput, JSON.parse(line));
  const isStored = typeof said === "string" || KEEPING.includes(step);
  const found = isStored
    ? await tenantObject(context.env, context.tenantId).readDocument(
        callerOfRun(context.run),
        document.documentId,
      )
    : NOT_FOUND;
  if (typeof said !== "string") {
    const there = found.kind === "document" ? found.document : null;
    // One that the run has not stored may be another one: `store` finds that out.
    const stored = document.file === null || there?.file === document.file ? there : null;
    // Before anything is paid for it: `store` could not keep it.
    const isTaken = step === "fetch" && there !== null && context.run.steps.includes("store");
    if (isTaken) return { kind: "failed", as: ID_TAKEN };
    const { content, type, user_id: userId = null, language = null } = said;
    const categories = said.categories ?? CATEGORIES[type];
    const text = storableText(content);
    return { kind: "input", text, type, userId, language, categories, inline: said, stored };
  }
  if (found.kind !== "document") return { kind: "failed", as: found.kind };
  const stored = found.document;
  if (!(await isOfRun(context, stored.file))) return { kind: "failed", as: "not_found" };
  if (stored.bytes > MAX_PIPELINE_TEXT_BYTES) {
    return { kind: "failed", as: "document_too_long" };
  }
  const text = await readStored(context, stored);
  if (text === null || utf8Bytes(text) === 0) return { kind: "failed", as: "not_found" };
  const { type, userId, language } = stored;
  const categories = CATEGORIES[type];
  return { kind: "input", text, type, userId, language, categories, inline: null, stored };
}

/** The document's line of the run's file; null: the file is gone. */
async function readLine(context: StepContext, from: number): Promise<string | null> {
  const { bucket, owner, run, document, memory } = context;
  if (memory.line !== null) return memory.line;
  const range = { offset: from, length: document.end - from };
  const file = await bucket.get(runDocumentsKey(owner, run.id), { range });
  memory.line = file === null ? null : await file.text();
  return memory.line;
}

/** A file never changes, so that what was read of it stays true. */
async function readStored(
  { bucket, owner, memory }: StepContext,
  document: StoredDocument,
): Promise<string | null> {
  const { file } = document;
  if (memory.stored?.file === file) return memory.stored.text;
  const text = await readDocumentText(bucket, owner, document);
  memory.stored = text === null ? null : { file, text };
  return text;
}
