import * as v from "valibot";
import type { FieldError } from "../domain/ledger/failure.ts";
import { PIPELINE_ROUTE } from "../domain/ledger/rate-limit.ts";
import { isOver } from "../domain/runs/run.ts";
import { sliceId, type SliceParams, toRun, toRunStep } from "../domain/pipelines/run.ts";
import { runDocumentsKey } from "../domain/pipelines/run-files.ts";
import { inOrder, stepsFault } from "../domain/pipelines/step.ts";
import { acted, ok, raw } from "../http/reply.ts";
import { eventFeed, LONGEST_S } from "../http/event-feed.ts";
import { idempotencyOf } from "../http/call-labels.ts";
import { newId } from "../http/ids.ts";
import { logError, nameOf } from "../http/request-log.ts";
import { defineRoute } from "../http/route.ts";
import { joinedFile } from "../io/joined-file.ts";
import { BODY_WEIGHT, MAX_BODY_BYTES } from "../api/native/content.ts";
import { eventQuery, eventReply } from "../api/native/event-stream.ts";
import { RunInput, RunOutput, RunStepOutput } from "../api/native/pipeline.ts";
import { listById, listOf, NOT_A_CURSOR, pageAfterId, pageQuery } from "../api/field.ts";
import { bucketOf, readTenant, writeTenant, TENANT_READ, UNAVAILABLE } from "../edge/bindings.ts";
import { CREATE_RUN, startRun, stepsReply } from "./runs.ts";

// Runs of pipelines: the same steps for many documents; `src/pipelines` makes them.

const AUTH = { kind: "key", roles: ["call"] } as const;

const ID = v.strictObject({ id: v.pipe(v.string(), v.description("`run_` and a ULID.")) });

const workflowOf = (env: Env): Workflow<SliceParams> | null =>
  (env as Partial<Env>).PIPELINES ?? null;

const UNABLE = {
  kind: "engine_unsupported",
  detail: "This deployment runs no pipelines: they need its bucket and its Workflow.",
} as const;

export const createRun = defineRoute({
  method: "POST",
  path: "/v1/pipelines/runs",
  summary: "Run steps for up to 1,000 documents, in their own time",
  description:
    "Each AI step of each document is a governed call of its own, with three tries. A document that fails does not stop the others. Pipelines and batches together take at most half of each of the tenant's rates and of its calls in progress.",
  surface: "native",
  startsCalls: true,
  auth: AUTH,
  body: { schema: RunInput, limitBytes: MAX_BODY_BYTES, weight: BODY_WEIGHT },
  reply: { status: 202, schema: RunOutput },
  failures: [
    ...CREATE_RUN,
    "model_not_allowed",
    "model_not_found",
    "model_retired",
    "unpriced_model",
  ],
  handle: async (call) => {
    const { documents, steps, policy = null, model = null, resume } = call.body;
    const named = documents.map((one) =>
      typeof one === "string" ? one : (one.id ?? newId("doc")),
    );
    const errors = faultsOf(call.body, named);
    if (errors.length > 0) return { kind: "invalid_request", errors };
    const bucket = bucketOf(call.env);
    const workflow = workflowOf(call.env);
    if (bucket === null || workflow === null) return UNABLE;
    const read = await idempotencyOf(call);
    if (read.kind !== "read") return read;
    const { bytes, ends } = joinedFile(documents);
    const { tenant, secretHash } = call.caller;
    const request = {
      id: newId("run"),
      requestId: call.requestId,
      context: call.context,
      steps: inOrder(steps),
      policy,
      model,
      resume: resume !== null,
      documents: named.map((documentId, at) => ({ documentId, end: ends[at] ?? 0 })),
      secretHash,
      route: PIPELINE_ROUTE,
      idempotency: read.idempotency,
    };
    const made = await writeTenant(call, (object, by) => object.createRun(by, request));
    if (made.kind !== "run") return made;
    const { run, generation } = made;
    const key = runDocumentsKey({ tenant, generation }, run.id);
    const params = { tenant, life: generation, run: run.id, slice: 0 };
    const instance = { workflow, id: sliceId(params), params };
    const isStarted = await startRun(call.ctx, made, { bucket, key, bytes }, instance);
    if (!isStarted) return UNAVAILABLE;
    return ok(toRun(run));
  },
});

function faultsOf(
  { documents, steps }: v.InferOutput<typeof RunInput>,
  named: readonly string[],
): readonly FieldError[] {
  const hasInline = documents.some((one) => typeof one !== "string");
  const fault = stepsFault(steps, hasInline);
  const seen = new Set<string>();
  const repeated = named.flatMap((id, at): readonly FieldError[] => {
    const isRepeated = seen.has(id);
    seen.add(id);
    return isRepeated ? [{ path: ["documents", at], detail: "names a document once more" }] : [];
  });
  return [...(fault === null ? [] : [{ path: ["steps"], detail: fault }]), ...repeated];
}

export const listRuns = defineRoute({
  method: "GET",
  path: "/v1/pipelines/runs",
  mirror: "/admin/tenants/:tenant/pipelines/runs",
  summary: "Runs of pipelines, newest first",
  surface: "native",
  auth: AUTH,
  query: v.strictObject(pageAfterId("run")),
  reply: { status: 200, schema: listOf(RunOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor = "~", limit } = call.query;
    const page = await readTenant(call, (tenant, caller) => tenant.listRuns(caller, cursor, limit));
    if (page.kind !== "page") return page;
    return ok(listById(page, toRun));
  },
});

export const getRun = defineRoute({
  method: "GET",
  path: "/v1/pipelines/runs/:id",
  mirror: "/admin/tenants/:tenant/pipelines/runs/:id",
  summary: "How far a run is, and what it cost so far",
  surface: "native",
  auth: AUTH,
  params: ID,
  reply: { status: 200, schema: RunOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const found = await readTenant(call, (tenant, caller) => tenant.readRun(caller, id));
    return found.kind === "run" ? ok(toRun(found.run)) : found;
  },
});

export const cancelRun = defineRoute({
  method: "POST",
  path: "/v1/pipelines/runs/:id/cancel",
  mirror: "/admin/tenants/:tenant/pipelines/runs/:id/cancel",
  summary: "End a run after the steps that it is at",
  surface: "native",
  auth: AUTH,
  params: ID,
  reply: { status: 200, schema: RunOutput },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const found = await writeTenant(call, (tenant, caller) => tenant.cancelRun(caller, id));
    return found.kind === "run" ? acted({ run: id }, ok(toRun(found.run))) : found;
  },
});

type Place = readonly [number, number];

/** `12.3`: the document and the step at which a page begins. */
function placeOf(cursor: string | undefined): Place | null {
  if (cursor === undefined) return [0, 0];
  const parts = /^(\d{1,4})\.(\d{1,2})$/.exec(cursor);
  return parts === null ? null : [Number(parts[1]), Number(parts[2])];
}

export const listRunSteps = defineRoute({
  method: "GET",
  path: "/v1/pipelines/runs/:id/steps",
  mirror: "/admin/tenants/:tenant/pipelines/runs/:id/steps",
  summary: "The steps of each document that were begun, in order",
  description: "A page as JSON, or, with `Accept: application/x-ndjson`, all as one stream.",
  surface: "native",
  auth: AUTH,
  params: ID,
  query: v.strictObject(pageQuery),
  reply: { status: 200, schema: listOf(RunStepOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const { cursor, limit } = call.query;
    const from = placeOf(cursor);
    if (from === null) return NOT_A_CURSOR;
    const read = async (place: Place) => {
      const page = await readTenant(call, (tenant, caller) =>
        tenant.listRunSteps(caller, { id, from: place, limit }),
      );
      return page.kind === "steps" ? { lines: page.steps.map(toRunStep), next: page.next } : page;
    };
    return stepsReply(call.request, from, { read, cursorOf: (place) => place.join(".") });
  },
});

export const watchRun = defineRoute({
  method: "GET",
  path: "/v1/pipelines/runs/:id/events",
  summary: "The progress of a run, as it changes",
  description:
    "Events `run`, each the object of `GET /v1/pipelines/runs/{id}`: one at once, then one within two seconds of a change. The stream ends with the run, or after `for_s`. At most 20 at once of a tenant.",
  surface: "native",
  auth: AUTH,
  params: ID,
  query: eventQuery(LONGEST_S),
  reply: eventReply,
  failures: [...TENANT_READ, "over_limit"],
  handle: async (call) => {
    const { id } = call.params;
    const watcher = newId("req");
    const read = () =>
      readTenant(call, (tenant, caller) => tenant.watchRun(caller, { id, watcher }));
    const first = await read();
    if (first.kind !== "run") return first;
    let isEnded = isOver(first.run);
    return raw(
      eventFeed({
        event: "run",
        first: toRun(first.run),
        read: async () => {
          if (isEnded) return null;
          const found = await read().catch((error: unknown) => {
            logError({ request_id: call.requestId, event: "watch_ended", error: nameOf(error) });
            return null;
          });
          if (found?.kind !== "run") return null;
          isEnded = isOver(found.run);
          return toRun(found.run);
        },
        forS: call.query.for_s,
      }),
    );
  },
});
