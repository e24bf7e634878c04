import type { StepOutcome } from "../../domain/pipelines/run-step.ts";
import { prepareAnalysis } from "../../documents/analyse.ts";
import { documentCall } from "../../documents/document-call.ts";
import { addResults } from "../../documents/stored-files.ts";
import { DEFAULT_RETENTION_DAYS, type StoredDocument } from "../../domain/documents/document.ts";
import { utf8Bytes } from "../../domain/generation/token-bound.ts";
import { stepResultsKey } from "../../domain/pipelines/run-files.ts";
import { taskOf } from "../../domain/pipelines/step.ts";
import { callerOfRun } from "../../domain/runs/run.ts";
import { tenantObject } from "../../edge/bindings.ts";
import { renderedJson } from "../../generation/generation-call.ts";
import { ID_TAKEN, type StepInput } from "../read-input.ts";
import {
  documentDeps,
  failed,
  failureOf,
  isOfRun,
  type StepContext,
  whoOf,
} from "../step-context.ts";
import type { TaskFile } from "./run-task.ts";

// Keeps a document and the results of its tasks. One that came with the request is stored first, by a call
// that costs nothing; one that was stored gets the results beside those that it has.

export async function store(context: StepContext, input: StepInput): Promise<StepOutcome> {
  const [kept, added] = await Promise.all([
    input.inline === null ? input.stored : storeInline(context, input),
    takeResults(context),
  ]);
  if (kept === null) return failed("not_found");
  if (!("file" in kept)) return kept;
  if (!(await isOfRun(context, kept.file))) return failed("not_found");
  if (added.reports.length === 0) return SUCCEEDED;
  const { bucket, owner, env, tenantId } = context;
  const { file, id } = kept;
  const isWritten = await addResults(bucket, owner, { file, results: added.results });
  if (!isWritten) throw new Error("the bucket failed");
  const isThere = await tenantObject(env, tenantId).addDocumentResults(owner.generation, {
    id,
    file,
    tasks: added.reports,
  });
  return isThere ? SUCCEEDED : failed("not_found");
}

const SUCCEEDED: StepOutcome = { kind: "succeeded", microNeurons: 0 };

async function storeInline(
  context: StepContext,
  input: StepInput,
): Promise<StoredDocument | StepOutcome | null> {
  const { env, tenantId, run, document, ids } = context;
  const { inline, text, type, language, categories, userId } = input;
  // This very step stored it, and was cut off.
  if (input.stored?.file === ids.callId && input.stored.state === "ready") return input.stored;
  const deps = documentDeps(context);
  const source = { text, type, language, categories };
  const tasks = run.steps.flatMap((step) => taskOf(step) ?? []);
  const read = prepareAnalysis(deps.engine, source, tasks);
  const outcome = await documentCall(deps, {
    ...whoOf(context, userId),
    store: {
      document: {
        id: document.documentId,
        type,
        contentType: "text/plain",
        language: read.language,
        bytes: utf8Bytes(text),
        characters: text.length,
        hiddenPassages: read.hiddenPassages,
        retentionDays: inline?.retention_days ?? DEFAULT_RETENTION_DAYS,
      },
      text,
    },
    prepared: prepareAnalysis(deps.engine, source, []),
    model: null,
    render: () => renderedJson({}),
  });
  // Its id was taken since `fetch`: nothing else in it is the caller's.
  if (outcome.kind === "invalid_request") return failed(ID_TAKEN);
  if (outcome.kind === "not_found") return null;
  if (outcome.kind !== "done") return failureOf(context, outcome);
  const found = await tenantObject(env, tenantId).readDocument(
    callerOfRun(context.run),
    document.documentId,
  );
  // Deleted meanwhile, its id may be that of another one.
  const isOwn = found.kind === "document" && found.document.file === ids.callId;
  return isOwn ? found.document : null;
}

/** What the steps before this one found. */
async function takeResults({ bucket, owner, run, position }: StepContext): Promise<TaskFile> {
  const files = await Promise.all(
    run.steps
      .filter((step) => taskOf(step) !== null)
      .map(async (step) => {
        const file = await bucket.get(stepResultsKey(owner, { run: run.id, position, step }));
        return file === null ? [] : [await file.json<TaskFile>()];
      }),
  );
  const all = files.flat();
  return {
    results: Object.assign({}, ...all.map(({ results }) => results)) as TaskFile["results"],
    reports: all.flatMap(({ reports }) => reports),
  };
}
