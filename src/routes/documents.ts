import * as v from "valibot";
import {
  DOCUMENT_ROUTE,
  DOCUMENT_TYPES,
  type NewDocument,
  storedDocument,
} from "../domain/documents/document.ts";
import type { DocumentTask } from "../domain/documents/task.ts";
import { utf8Bytes } from "../domain/generation/token-bound.ts";
import { readDocumentText, readResults } from "../documents/stored-files.ts";
import type { Converter } from "../documents/convert-file.ts";
import { isConverted, readText } from "../documents/read-file.ts";
import { prepareAnalysis } from "../documents/analyse.ts";
import { documentCall, type MadeDocument } from "../documents/document-call.ts";
import { renderedJson } from "../generation/generation-call.ts";
import { acted, ok, raw } from "../http/reply.ts";
import { invalid } from "../http/field-errors.ts";
import { newId } from "../http/ids.ts";
import { NO_ROOM } from "../http/intake.ts";
import { callHeaders, rateLimitHeaders } from "../http/rate-headers.ts";
import { defineRoute } from "../http/route.ts";
import {
  contentOf,
  DocumentInput,
  DocumentOutput,
  ReadDocumentOutput,
  tasksOf,
  toDocument,
  toDocumentWithResults,
} from "../api/native/document.ts";
import { list, listOf, name, pageAfterId } from "../api/field.ts";
import { plus, ZERO } from "../domain/ledger/micro-neurons.ts";
import { usable } from "../domain/ledger/quota.ts";
import { fromBucket } from "../edge/picture-deps.ts";
import { engineOf, bucketOf } from "../edge/bindings.ts";
import { callerOf, GENERATED } from "../edge/generation-deps.ts";
import { toItsEnd } from "../edge/moderation-deps.ts";
import { recordInferences } from "../edge/bindings.ts";
import {
  readTenant,
  tenantObject,
  writeTenant,
  TENANT_READ,
  UNAVAILABLE,
} from "../edge/bindings.ts";
import { BODY_WEIGHT, searchableReply } from "./document-embedding.ts";
import { TENANT_PARAMS } from "./tenants.ts";

/** A file of 8 MiB in base64, or a text of 1 MiB in JSON, where an escape may take six bytes for one. */
const MAX_BODY_BYTES = 12 * 1024 * 1024;

/** One letter beyond Latin-1 makes every unit of a string two bytes long. */
const WIDE = /[^\0-\u00ff]/;

/**
 * Bytes that the tasks of a document take beyond the weight of its body. There are three strings of the
 * text: itself, what models read of it, and its plain form.
 */
const moreBytes = (text: string, tasks: readonly DocumentTask[]): number =>
  tasks.length > 0 && WIDE.test(text) ? 2 * text.length : 0;

const NO_BUCKET = {
  kind: "engine_unsupported",
  detail: "This deployment stores no documents: it has no bucket.",
} as const;

export const createDocument = defineRoute({
  method: "POST",
  path: "/v1/documents",
  summary: "Store a document, and work on it",
  description:
    "One hold covers all tasks, and one line of the journal has an item for each. Parts of an answer that the text does not have are left out, and counted.",
  surface: "native",
  admits: { kind: "document", route: DOCUMENT_ROUTE },
  auth: { kind: "key", roles: ["call"] },
  body: { schema: DocumentInput, limitBytes: MAX_BODY_BYTES, weight: BODY_WEIGHT },
  reply: { status: 200, schema: ReadDocumentOutput },
  failures: [...GENERATED, "not_found"],
  handle: async (call) => {
    const { body } = call;
    const bucket = bucketOf(call.env);
    if (bucket === null) return NO_BUCKET;
    const read = await callerOf(call, DOCUMENT_ROUTE, body.user_id ?? null);
    if (read.kind !== "read") return read;
    const wanted = tasksOf(body);
    if (wanted.kind !== "tasks") return wanted;
    const { tenant } = call.caller;
    const sent = contentOf(body);
    if (sent === null) return invalid(["file", "base64"], "must be base64");
    const asked = { id: body.id ?? null, model: body.model ?? null, tasks: wanted.tasks };
    const idempotencyKey = read.who.idempotency?.key ?? null;
    const converts = isConverted(sent);
    const refused = converts ? await mayConvert(call, { document: asked, idempotencyKey }) : null;
    if (refused !== null) return refused;
    const content = await readText(sent, converterOf(call));
    if (content.kind !== "text") return content;
    const { text, contentType } = content;
    if (!(await call.moreRoom(moreBytes(text, wanted.tasks)))) return NO_ROOM;
    const engine = engineOf(call.config, call.env);
    const { type, language = null } = body;
    const source = { text, type, language, categories: wanted.categories };
    const prepared = prepareAnalysis(engine, source, wanted.tasks);
    const document: NewDocument = {
      id: body.id ?? newId("doc"),
      type,
      contentType,
      language: prepared.language,
      bytes: utf8Bytes(text),
      characters: text.length,
      hiddenPassages: prepared.hiddenPassages,
      retentionDays: body.retention_days,
    };
    const deps = {
      config: call.config,
      engine,
      tenant: () => tenantObject(call.env, tenant),
      bucket,
      tenantId: tenant,
      observe: recordInferences(call.env, tenant),
    };
    const render = ({ hold, reports, results }: MadeDocument) =>
      renderedJson(toDocumentWithResults(storedDocument(document, hold, reports), results));
    const done = await toItsEnd(
      call.ctx,
      documentCall(deps, {
        ...read.who,
        ...(converts && { requestTaken: true as const }),
        store: { document, text },
        prepared,
        model: body.model ?? null,
        render,
      }),
    );
    if (done.kind !== "done") return done;
    const { rendered, standing, callId, replayed } = done;
    const just = { text, file: callId };
    const searchable = body.search ? await searchableReply(call, rendered, just) : null;
    const microNeurons = plus(done.microNeurons, searchable?.microNeurons ?? ZERO);
    const headers = {
      "Content-Type": rendered.contentType,
      ...callHeaders({
        microNeurons,
        ...(standing !== null && { available: usable(standing.neurons) }),
        engine: call.config.inference,
        replayed,
      }),
      ...(standing !== null && rateLimitHeaders(standing)),
    };
    return raw(new Response(searchable?.body ?? rendered.body, { headers }));
  },
});

type CreateCall = Parameters<typeof callerOf>[0];

/** The binding that converts files; the engines beside Workers AI have none. */
const converterOf = ({ config, env }: CreateCall): Converter | null =>
  config.inference === "workers-ai" ? ((env as Partial<Env>).AI?.toMarkdown() ?? null) : null;

/**
 * A file is sent away before its call is measured and admitted: not if it would be refused, and within the
 * rate of requests. A repeat of a question that was cut off may take one unit more.
 */
async function mayConvert(
  call: CreateCall,
  known: {
    readonly idempotencyKey: string | null;
    readonly document: {
      readonly id: string | null;
      readonly model: string | null;
      readonly tasks: readonly DocumentTask[];
    };
  },
) {
  const reply = await readTenant(call, (object, caller) =>
    object.mayRead({
      requestId: call.requestId,
      caller,
      call: { kind: "generation", route: DOCUMENT_ROUTE, ...known },
    }),
  );
  if (reply.kind === "key_ended") return { kind: "invalid_key" } as const;
  return reply.kind === "may_read" ? null : reply;
}

const ROLES = { kind: "key", roles: ["call"] } as const;
const PARAMS = v.strictObject({
  id: v.pipe(v.string(), v.description("The document's id, `doc_…`.")),
});

export const listDocuments = defineRoute({
  method: "GET",
  path: "/v1/documents",
  mirror: "/admin/tenants/:tenant/documents",
  summary: "Documents, newest first",
  surface: "native",
  auth: ROLES,
  query: v.strictObject({
    ...pageAfterId("jnl"),
    type: v.optional(v.picklist(DOCUMENT_TYPES)),
    user_id: v.optional(name("Documents of this person alone.")),
  }),
  reply: { status: 200, schema: listOf(DocumentOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor = "~", limit, type = null, user_id: userId = null } = call.query;
    const query = { before: cursor, filter: { type, userId }, limit };
    const page = await readTenant(call, (tenant, caller) => tenant.listDocuments(caller, query));
    if (page.kind !== "page") return page;
    const next = page.more ? (page.data.at(-1)?.file ?? null) : null;
    return ok(list(page.data.map(toDocument), next));
  },
});

export const getDocument = defineRoute({
  method: "GET",
  path: "/v1/documents/:id",
  summary: "One document, with the results of its tasks",
  surface: "native",
  auth: ROLES,
  params: PARAMS,
  query: v.strictObject({
    include: v.optional(v.pipe(v.literal("text"), v.description("The text as well."))),
  }),
  reply: { status: 200, schema: ReadDocumentOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const found = await readTenant(call, (tenant, caller) => tenant.readDocument(caller, id));
    if (found.kind !== "document") return found;
    const { document, owner } = found;
    const bucket = bucketOf(call.env);
    if (bucket === null) return { kind: "not_found", what: "document" };
    const results = await fromBucket(readResults(bucket, owner, document));
    if (isUnavailable(results)) return results;
    if (call.query.include !== "text") return ok(toDocumentWithResults(document, results));
    const text = await fromBucket(readDocumentText(bucket, owner, document));
    if (isUnavailable(text)) return text;
    return ok({ ...toDocumentWithResults(document, results), text });
  },
});

export const getDocumentState = defineRoute({
  method: "GET",
  path: "/admin/tenants/:tenant/documents/:id",
  summary: "How a tenant's document stands",
  description: "Without its text and the results of its tasks.",
  surface: "native",
  auth: { kind: "platform" },
  params: v.strictObject({ ...TENANT_PARAMS.entries, ...PARAMS.entries }),
  reply: { status: 200, schema: DocumentOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const found = await readTenant(call, (tenant, caller) => tenant.readDocument(caller, id));
    return found.kind === "document" ? ok(toDocument(found.document)) : found;
  },
});

const isUnavailable = (read: object | string | null): read is typeof UNAVAILABLE =>
  typeof read === "object" && read !== null && "kind" in read;

export const deleteDocument = defineRoute({
  method: "DELETE",
  path: "/v1/documents/:id",
  mirror: "/admin/tenants/:tenant/documents/:id",
  summary: "Delete a document with its results",
  description: "It is gone for every reader at once; its files go in the next seconds.",
  surface: "native",
  auth: ROLES,
  params: PARAMS,
  reply: { status: 204, schema: v.null() },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const done = await writeTenant(call, (tenant, caller) => tenant.deleteDocument(caller, id));
    return done.kind === "deleted" ? acted({ document: id }, ok(null)) : done;
  },
});
