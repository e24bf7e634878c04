import * as v from "valibot";
import type { LookupFailure } from "../domain/ledger/failure.ts";
import type { InputItem } from "../domain/responses/item.ts";
import { type KeptResponse, responseKey } from "../domain/responses/kept-response.ts";
import { readResponse } from "../generation/keep-response.ts";
import type { Call, KeyCaller } from "../http/call.ts";
import { ok } from "../http/reply.ts";
import { invalid, shaped } from "../http/field-errors.ts";
import { defineRoute } from "../http/route.ts";
import { InputItems, ResponseOutput, type ResponseObject } from "../api/responses/response.ts";
import { bucketOf, readTenant, TENANT_READ, writeTenant } from "../edge/bindings.ts";
import { fromBucket } from "../edge/picture-deps.ts";

// Responses that are kept: read again, with what was asked, and deleted. A key finds those of its tenant.

const NO_RESPONSE = { kind: "not_found", what: "response" } as const satisfies LookupFailure;

const params = v.strictObject({
  id: v.pipe(v.string(), v.description("`resp_` and a ULID.")),
});

type KeptCall = Pick<
  Call<{ readonly id: string }, unknown, unknown, KeyCaller, unknown>,
  "env" | "caller" | "params"
>;

/** The file of a response that is in its time. */
async function find(call: KeptCall) {
  const { id } = call.params;
  const found = await readTenant(call, (tenant, caller) => tenant.findResponse(caller, id));
  if (found.kind !== "response") return found;
  const bucket = bucketOf(call.env);
  if (bucket === null) return NO_RESPONSE;
  const file = await fromBucket(readResponse<ResponseObject>(bucket, found.owner, id));
  if (file === null) return NO_RESPONSE;
  return "kind" in file ? file : { kind: "found" as const, file };
}

export const getResponse = defineRoute({
  method: "GET",
  path: "/v1/responses/:id",
  summary: "A kept response",
  surface: "openai",
  auth: { kind: "key", roles: ["call"] },
  params,
  query: v.object({
    stream: v.optional(v.pipe(v.string(), v.description("Only `false`: no events are kept."))),
  }),
  reply: { status: 200, schema: ResponseOutput },
  failures: [...TENANT_READ, "unsupported_parameter"],
  handle: async (call) => {
    const { stream } = call.query;
    if (stream !== undefined && stream !== "false") return NO_EVENTS;
    const found = await find(call);
    return found.kind === "found" ? ok(found.file.response) : found;
  },
});

const NO_EVENTS = {
  kind: "unsupported_parameter",
  parameter: "stream",
  detail: "stream: the events of a response are not kept; ask without it for the whole response.",
} as const;

export const deleteResponse = defineRoute({
  method: "DELETE",
  path: "/v1/responses/:id",
  summary: "Delete a kept response",
  description: "Responses that continue it cannot be continued further from then on.",
  surface: "openai",
  auth: { kind: "key", roles: ["call"] },
  params,
  reply: {
    status: 200,
    schema: v.object({
      id: v.string(),
      object: v.literal("response"),
      deleted: v.literal(true),
    }),
  },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const deleted = await writeTenant(call, (tenant, caller) => tenant.deleteResponse(caller, id));
    if (deleted.kind !== "response") return deleted;
    // The object's alarm erases the file too, so a bucket that fails now leaves nothing for ever.
    await fromBucket(Promise.resolve(bucketOf(call.env)?.delete(responseKey(deleted.owner, id))));
    return ok({ id, object: "response", deleted: true });
  },
});

const MOST_LISTED = 100;

export const listInputItems = defineRoute({
  method: "GET",
  path: "/v1/responses/:id/input_items",
  summary: "What a kept response was asked with",
  description: "The items of its own request, without those of the responses before it.",
  surface: "openai",
  auth: { kind: "key", roles: ["call"] },
  params,
  query: v.object({
    after: v.optional(
      v.pipe(v.string(), v.maxLength(256), v.description("The last item of the page before.")),
    ),
    limit: v.optional(
      v.pipe(
        v.string(),
        v.regex(shaped(/^\d{1,3}$/, `must be a whole number from 1 to ${MOST_LISTED}`)),
        v.transform(Number),
        v.minValue(1),
        v.maxValue(MOST_LISTED),
      ),
      "20",
    ),
    order: v.optional(v.picklist(["asc", "desc"]), "desc"),
  }),
  reply: {
    status: 200,
    schema: v.object({
      object: v.literal("list"),
      data: InputItems,
      first_id: v.nullable(v.string()),
      last_id: v.nullable(v.string()),
      has_more: v.boolean(),
    }),
  },
  failures: TENANT_READ,
  handle: async (call) => {
    const found = await find(call);
    if (found.kind !== "found") return found;
    const { after, limit, order } = call.query;
    const all = inOrder(found.file, order);
    const start = after === undefined || after === "" ? 0 : placeAfter(all, after);
    if (start === null) return NO_CURSOR;
    const data = all.slice(start, start + limit);
    return ok({
      object: "list",
      data: structuredClone(data) as v.InferOutput<typeof InputItems>,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
      has_more: start + limit < all.length,
    });
  },
});

const NO_CURSOR = invalid(["after"], "must be an item of this response");

const inOrder = (
  { input }: KeptResponse<ResponseObject>,
  order: "asc" | "desc",
): readonly InputItem[] => (order === "asc" ? input : input.toReversed());

/** The index after that item; null: there is no such item. */
function placeAfter(items: readonly InputItem[], id: string): number | null {
  const at = items.findIndex((item) => item.id === id);
  return at === -1 ? null : at + 1;
}
