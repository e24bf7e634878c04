import * as v from "valibot";
import { type BatchParams, toBatch, toBatchStep } from "../domain/moderation/batch.ts";
import { BATCH_ROUTE } from "../domain/ledger/rate-limit.ts";
import type { FieldError } from "../domain/ledger/failure.ts";
import { batchItemsKey } from "../domain/generation/stored-picture.ts";
import { joinedFile } from "../io/joined-file.ts";
import { acted, ok } from "../http/reply.ts";
import { newId } from "../http/ids.ts";
import { defineRoute } from "../http/route.ts";
import { BatchInput, BatchOutput, BatchStepOutput } from "../api/native/batch.ts";
import { BODY_WEIGHT, MAX_BODY_BYTES } from "../api/native/content.ts";
import { listById, listOf, pageAfterId, pageQuery, parseIndex } from "../api/field.ts";
import { bucketOf, readTenant, writeTenant, UNAVAILABLE, TENANT_READ } from "../edge/bindings.ts";
import { idempotencyOf } from "../http/call-labels.ts";
import { readContent } from "../edge/moderation-deps.ts";
import { CREATE_RUN, startRun, stepsReply } from "./runs.ts";

// Many verdicts asked for at once; `src/batches` makes them.

const ROLES = { kind: "key", roles: ["call"] } as const;

const ID = v.strictObject({ id: v.pipe(v.string(), v.description("`bat_` and a ULID.")) });

const workflowOf = (env: Env): Workflow<BatchParams> | null =>
  (env as Partial<Env>).BATCHES ?? null;

const UNABLE = {
  kind: "engine_unsupported",
  detail: "This deployment makes no batches: they need its bucket and its Workflow.",
} as const;

export const createBatch = defineRoute({
  method: "POST",
  path: "/v1/verdicts/batches",
  mirror: "/admin/tenants/:tenant/verdicts/batches",
  summary: "Moderate up to 1,000 contents, in their own time",
  description:
    "Each item is a call of its own: it is charged and stored, and its events are sent, as with `POST /v1/verdicts`. Batches take at most half of each of the tenant's rates and of its calls in progress.",
  surface: "native",
  startsCalls: true,
  auth: ROLES,
  body: { schema: BatchInput, limitBytes: MAX_BODY_BYTES, weight: BODY_WEIGHT },
  reply: { status: 202, schema: BatchOutput },
  failures: CREATE_RUN,
  audit: "act",
  handle: async (call) => {
    const { items, resume } = call.body;
    const errors = items.flatMap((item, at): readonly FieldError[] => {
      const read = readContent(item);
      if (read.kind === "content") return [];
      return read.errors.map(({ path, detail }) => ({ path: ["items", at, ...path], detail }));
    });
    if (errors.length > 0) return { kind: "invalid_request", errors };
    const bucket = bucketOf(call.env);
    const workflow = workflowOf(call.env);
    if (bucket === null || workflow === null) return UNABLE;
    const read = await idempotencyOf(call);
    if (read.kind !== "read") return read;
    const { bytes, ends } = joinedFile(items);
    const { caller } = call;
    const request = {
      id: newId("bat"),
      requestId: call.requestId,
      context: call.context,
      items: items.length,
      ends,
      resume: resume !== null,
      secretHash: caller.kind === "key" ? caller.secretHash : null,
      route: BATCH_ROUTE,
      idempotency: read.idempotency,
    };
    const made = await writeTenant(call, (tenant, by) => tenant.createBatch(by, request));
    if (made.kind !== "batch") return made;
    const { batch, generation, repeated } = made;
    const { tenant } = caller;
    const key = batchItemsKey({ tenant, generation }, batch.id);
    const params = { tenant, life: generation, batch: batch.id };
    const instance = { workflow, id: batch.id, params };
    const file = { bucket, key, bytes };
    const isStarted = await startRun(call.ctx, { run: batch, repeated }, file, instance);
    if (!isStarted) return UNAVAILABLE;
    return acted({ batch: batch.id }, ok(toBatch(batch)));
  },
});

export const listBatches = defineRoute({
  method: "GET",
  path: "/v1/verdicts/batches",
  mirror: "/admin/tenants/:tenant/verdicts/batches",
  summary: "Batches, newest first",
  surface: "native",
  auth: ROLES,
  query: v.strictObject(pageAfterId("bat")),
  reply: { status: 200, schema: listOf(BatchOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor = "~", limit } = call.query;
    const page = await readTenant(call, (tenant, caller) =>
      tenant.listBatches(caller, cursor, limit),
    );
    if (page.kind !== "page") return page;
    return ok(listById(page, toBatch));
  },
});

export const getBatch = defineRoute({
  method: "GET",
  path: "/v1/verdicts/batches/:id",
  mirror: "/admin/tenants/:tenant/verdicts/batches/:id",
  summary: "How far a batch is, and what it cost so far",
  surface: "native",
  auth: ROLES,
  params: ID,
  reply: { status: 200, schema: BatchOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const found = await readTenant(call, (tenant, caller) => tenant.readBatch(caller, id));
    return found.kind === "batch" ? ok(toBatch(found.batch)) : found;
  },
});

export const cancelBatch = defineRoute({
  method: "POST",
  path: "/v1/verdicts/batches/:id/cancel",
  mirror: "/admin/tenants/:tenant/verdicts/batches/:id/cancel",
  summary: "End a batch after the step that it is at",
  surface: "native",
  auth: ROLES,
  params: ID,
  reply: { status: 200, schema: BatchOutput },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const found = await writeTenant(call, (tenant, caller) => tenant.cancelBatch(caller, id));
    if (found.kind !== "batch") return found;
    return acted({ batch: id }, ok(toBatch(found.batch)));
  },
});

export const listBatchSteps = defineRoute({
  method: "GET",
  path: "/v1/verdicts/batches/:id/steps",
  mirror: "/admin/tenants/:tenant/verdicts/batches/:id/steps",
  summary: "What each step came to, in order",
  description: "A page as JSON, or, with `Accept: application/x-ndjson`, all as one stream.",
  surface: "native",
  auth: ROLES,
  params: ID,
  query: v.strictObject(pageQuery),
  reply: { status: 200, schema: listOf(BatchStepOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const { cursor, limit } = call.query;
    const from = parseIndex(cursor);
    if (typeof from !== "number") return from;
    const read = async (at: number) => {
      const page = await readTenant(call, (tenant, caller) =>
        tenant.listBatchSteps(caller, { id, from: at, limit }),
      );
      if (page.kind !== "steps") return page;
      return { lines: page.steps.map(toBatchStep), next: page.more ? at + limit : null };
    };
    return stepsReply(call.request, from, { read, cursorOf: String });
  },
});
