import * as v from "valibot";
import { shaped } from "../http/field-errors.ts";
import { contentKey } from "../domain/generation/stored-picture.ts";
import { acted, ok, raw } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { listById, listOf, pageAfterId } from "../api/field.ts";
import {
  ContentOutput,
  ContentReadOutput,
  toContent,
  toContentRead,
} from "../api/native/kept-content.ts";
import { bucketOf, readTenant, UNAVAILABLE, TENANT_READ } from "../edge/bindings.ts";

// What was moderated, while the tenant's `content_retention_days` keep it. Every reading is noted
// before anything leaves.

const NO_CONTENT = { kind: "not_found", what: "content" } as const;

const id = v.pipe(v.string(), v.description("`vrd_` and a ULID."));

export const getContent = defineRoute({
  method: "GET",
  path: "/v1/verdicts/:id/content",
  mirror: "/admin/tenants/:tenant/verdicts/:id/content",
  summary: "The content of a verdict, if it is kept; every reading is noted",
  surface: "native",
  auth: { kind: "key", roles: ["review"] },
  params: v.strictObject({ id }),
  reply: { status: 200, schema: ContentOutput },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const reading = { id: call.params.id, requestId: call.requestId };
    const read = await readTenant(call, (tenant, caller) => tenant.readContent(caller, reading));
    if (read.kind !== "content") return read;
    return acted({ verdict: reading.id }, ok(toContent(read.content)));
  },
});

export const getContentPicture = defineRoute({
  method: "GET",
  path: "/v1/verdicts/:id/content/:index",
  mirror: "/admin/tenants/:tenant/verdicts/:id/content/:index",
  summary: "The bytes of a picture of a verdict",
  surface: "native",
  auth: { kind: "key", roles: ["review"] },
  params: v.strictObject({
    id,
    index: v.pipe(
      v.string(),
      v.regex(shaped(/^[0-9]$/, "must be a digit")),
      v.description("From 0."),
      v.transform(Number),
    ),
  }),
  reply: {
    status: 200,
    contentType: "image/*",
    schema: v.pipe(v.string(), v.description("PNG, JPEG or WebP.")),
  },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { index } = call.params;
    const reading = { id: call.params.id, requestId: call.requestId };
    const read = await readTenant(call, (tenant, caller) => tenant.readContent(caller, reading));
    if (read.kind !== "content") return read;
    return acted({ verdict: reading.id }, async () => {
      const picture = read.content.pictures[index] ?? null;
      const bucket = bucketOf(call.env);
      if (picture?.kept !== true || bucket === null) return NO_CONTENT;
      const key = contentKey(read.owner, reading.id, index);
      const object = await bucket.get(key).catch(() => undefined);
      if (object === undefined) return UNAVAILABLE;
      if (object === null) return NO_CONTENT;
      return raw(
        new Response(object.body, {
          headers: {
            "Content-Type": picture.contentType,
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
          },
        }),
      );
    });
  },
});

export const listContentReads = defineRoute({
  method: "GET",
  path: "/v1/audit",
  mirror: "/admin/tenants/:tenant/content-reads",
  summary: "Readings of kept contents, newest first; 400 days back",
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: v.strictObject(pageAfterId("evt")),
  reply: { status: 200, schema: listOf(ContentReadOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor = "~", limit } = call.query;
    const page = await readTenant(call, (tenant, caller) =>
      tenant.listContentReads(caller, cursor, limit),
    );
    if (page.kind !== "page") return page;
    return ok(listById(page, toContentRead));
  },
});
