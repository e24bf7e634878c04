import * as v from "valibot";
import { type MicroNeurons, ZERO } from "../domain/ledger/micro-neurons.ts";
import { EMBED_ROUTE } from "../domain/documents/document.ts";
import { readDocumentText } from "../documents/stored-files.ts";
import {
  type GenerationCaller,
  type Rendered,
  renderedValue,
} from "../generation/generation-call.ts";
import type { CallId } from "../domain/ledger/ledger.ts";
import { NO_ROOM } from "../http/intake.ts";
import { ok } from "../http/reply.ts";
import { newId } from "../http/ids.ts";
import { defineRoute } from "../http/route.ts";
import { EmbeddingOutput, toEmbedding, toSearchable } from "../api/native/document-embedding.ts";
import {
  callerOf,
  GENERATED,
  generationHeaders,
  type GenerationRouteCall,
} from "../edge/generation-deps.ts";
import { toItsEnd } from "../edge/moderation-deps.ts";
import { fromBucket } from "../edge/picture-deps.ts";
import { searchDeps } from "../edge/search-deps.ts";
import { bucketOf, objectCaller, readTenant } from "../edge/bindings.ts";
import {
  type Indexed,
  type IndexFailure,
  indexDocument,
  type NotStored,
} from "../search/index-document.ts";
import { strictObject } from "../api/object-input.ts";

// Makes a stored document searchable: when it is stored, or later, such as after a refusal.

/** Of a document's body: what stands in it once more, as the file without its base64, and the text of it. */
export const BODY_WEIGHT = 3;

/** Bytes of memory for a text that is read from the bucket. A letter may take two if not all are ASCII. */
const textRoom = ({ bytes, characters }: { bytes: number; characters: number }): number =>
  BODY_WEIGHT * bytes + (bytes > characters ? 2 * characters : 0);

const NO_DOCUMENT = { kind: "not_found", what: "document" } as const;

export const embedDocument = defineRoute({
  method: "POST",
  path: "/v1/documents/:id/embed",
  summary: "Make a stored document searchable",
  description:
    "A document that is searchable already costs nothing, so it can be repeated. While another call embeds it, the reply is 409 with Retry-After: 1.",
  surface: "native",
  admits: { kind: "generation", route: EMBED_ROUTE },
  ignoresIdempotencyKey: true,
  auth: { kind: "key", roles: ["call"] },
  params: v.strictObject({
    id: v.pipe(v.string(), v.description("The document's id, `doc_…`.")),
  }),
  body: { schema: strictObject({}), limitBytes: 1024, optional: true },
  reply: { status: 200, schema: EmbeddingOutput },
  failures: [...GENERATED, "not_found"],
  handle: async (call) => {
    const { id } = call.params;
    const read = await callerOf(call, EMBED_ROUTE, null);
    if (read.kind !== "read") return read;
    const indexed = await toItsEnd(call.ctx, embedStored(call, id, { who: read.who, just: null }));
    if (indexed.kind === "not_stored") return indexed.failure;
    if (indexed.kind !== "indexed") return indexed;
    const { generation } = indexed;
    const headers = generation === null ? {} : generationHeaders(generation, call.config);
    return ok(toEmbedding(id, indexed), { headers });
  },
});

/** A document that was just stored, or whose reply is given again. */
interface JustStored {
  readonly text: string;
  /** The call that stored it. Its id may belong to a later document by now, with another text. */
  readonly file: CallId;
}

/** @param just null: the text is read from the bucket */
async function embedStored(
  call: GenerationRouteCall,
  id: string,
  { who, just }: { readonly who: GenerationCaller; readonly just: JustStored | null },
): Promise<Indexed | NotStored | IndexFailure | typeof NO_ROOM> {
  const found = await readTenant(call, (tenant, caller) => tenant.readDocument(caller, id));
  if (found.kind !== "document") return found;
  const { document, owner } = found;
  if (just !== null && just.file !== document.file) return NO_DOCUMENT;
  if (just === null && !(await call.moreRoom(textRoom(document)))) return NO_ROOM;
  const read = just?.text ?? (await storedText(call, owner, document));
  if (read === null) return NO_DOCUMENT;
  if (typeof read !== "string") return read;
  const { file: revision, type, userId } = document;
  // The same key for another document, or for another text of it, is another request.
  const idempotency = who.idempotency && { ...who.idempotency, fingerprint: revision };
  return indexDocument(
    searchDeps(call),
    { documentId: id, revision, type, userId, text: read },
    { ...who, userId, idempotency },
  );
}

/**
 * The reply to a document that was just stored, with whether it can be found. A repeat of its request makes
 * searchable what was not yet.
 */
export async function searchableReply(
  call: GenerationRouteCall,
  rendered: Rendered,
  just: JustStored,
): Promise<{ readonly body: string; readonly microNeurons: MicroNeurons }> {
  const stored = renderedValue(rendered) as { readonly id: string };
  const who: GenerationCaller = {
    callId: newId("jnl"),
    requestId: call.requestId,
    route: EMBED_ROUTE,
    caller: objectCaller(call.caller),
    userId: null,
    context: call.context,
    // Its key is that of the call that stored the document.
    idempotency: null,
  };
  const indexed = await toItsEnd(call.ctx, embedStored(call, stored.id, { who, just }));
  const microNeurons = "microNeurons" in indexed ? indexed.microNeurons : ZERO;
  return { body: JSON.stringify({ ...stored, search: toSearchable(indexed) }), microNeurons };
}

async function storedText(
  { env }: GenerationRouteCall,
  ...at: Parameters<typeof readDocumentText> extends [R2Bucket, ...infer At] ? At : never
): Promise<string | null | { readonly kind: "unavailable" }> {
  const bucket = bucketOf(env);
  return bucket === null ? null : fromBucket(readDocumentText(bucket, ...at));
}
