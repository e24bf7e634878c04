import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { ok } from "../../src/http/reply.ts";
import { openApiDocument } from "../../src/http/openapi.ts";
import { defineRoute } from "../../src/http/route.ts";

const readItem = defineRoute({
  method: "GET",
  path: "/v1/items/:id/parts",
  summary: "Read the parts",
  surface: "native",
  auth: { kind: "key", roles: ["review"] },
  mirror: "/admin/tenants/:tenant/items/:id/parts",
  params: v.strictObject({ id: v.pipe(v.string(), v.maxLength(40), v.description("An item.")) }),
  query: v.strictObject({
    limit: v.optional(
      v.pipe(v.string(), v.regex(/^\d+$/), v.description("At most 200."), v.transform(Number)),
      "50",
    ),
  }),
  reply: { status: 200, schema: v.strictObject({ id: v.nullable(v.string()) }) },
  failures: ["not_found", "role_required", "tenant_suspended"],
  handle: async ({ params }) => ok(params),
});

const chat = defineRoute({
  method: "POST",
  path: "/v1/chat/completions",
  summary: "Chat",
  surface: "openai",
  auth: { kind: "key", roles: ["call"] },
  body: {
    schema: v.pipe(
      v.looseObject({ n: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1) }),
      v.check(() => true),
    ),
    limitBytes: 1000,
  },
  reply: { status: 200, schema: v.string(), contentType: "text/event-stream" },
  failures: ["quota_exceeded", "rate_limited"],
  handle: async () => ok(""),
});

const remove = defineRoute({
  method: "DELETE",
  path: "/admin/tenants/:tenant",
  summary: "Delete a tenant",
  surface: "native",
  auth: { kind: "platform" },
  reply: { status: 204, schema: v.null() },
  failures: [],
  handle: async () => ok(null),
});

const document = openApiDocument([readItem, chat, remove], { title: "Neurogate", version: "1" });

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
}

/** The document as a reader gets it: through JSON. */
const read: { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> } =
  JSON.parse(JSON.stringify(document));
const operations = Object.entries(read.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe("openApiDocument", () => {
  it("has every route and every mirror, under ids of their own", () => {
    expect(operations.map(({ path, method }) => `${method} ${path}`)).toEqual([
      "delete /admin/tenants/{tenant}",
      "get /admin/tenants/{tenant}/items/{id}/parts",
      "post /client/v4/accounts/{account}/ai/v1/chat/completions",
      "post /v1/chat/completions",
      "get /v1/items/{id}/parts",
    ]);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids).toContain("getItemsIdParts");
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("declares every parameter of every path", () => {
    for (const { path, operation } of operations) {
      const inPath = operation.parameters.filter((parameter) => parameter.in === "path");
      const names = path.match(/(?<=\{)\w+/g) ?? [];
      expect(inPath.map(({ name }) => name)).toEqual(names);
    }
  });

  it("has every $ref it uses", () => {
    const refs = JSON.stringify(document).match(/(?<="\$ref":"#\/)[^"]+/g) ?? [];
    expect(refs.length).toBeGreaterThan(0);
    for (const ref of refs) expect(document).toHaveProperty(ref.split("/"));
  });

  it("describes a keyed route from its schemas", () => {
    expect(read.paths["/v1/items/{id}/parts"]?.["get"]).toMatchObject({
      tags: ["items"],
      summary: "Read the parts",
      description: "Roles: review, manage.",
      security: [{ tenantKey: [] }, { namedKey: [] }],
      parameters: [
        { name: "id", in: "path", required: true, description: "An item." },
        {
          name: "limit",
          in: "query",
          required: false,
          description: "At most 200.",
          schema: { type: "string", pattern: "^\\d+$", default: "50" },
        },
      ],
      responses: {
        "200": {
          content: { "application/json": { schema: { type: "object", required: ["id"] } } },
        },
        "401": { description: "Unauthorized: `invalid_key`" },
        "403": {
          content: {
            "application/problem+json": {
              schema: {
                allOf: [
                  { $ref: "#/components/schemas/Problem" },
                  { properties: { kind: { enum: ["role_required", "tenant_suspended"] } } },
                ],
              },
            },
          },
        },
        "404": {},
        "500": {},
        "503": {},
      },
    });
  });

  it("describes an OpenAI route with OpenAI's error shape, and its input", () => {
    expect(read.paths["/v1/chat/completions"]?.["post"]).toMatchObject({
      requestBody: {
        required: true,
        content: {
          "application/json": {
            schema: { properties: { n: { type: "integer", minimum: 1, default: 1 } } },
          },
        },
      },
      responses: {
        "200": { content: { "text/event-stream": {} } },
        "413": {},
        "415": {},
        "429": {
          content: {
            "application/json": {
              schema: {
                allOf: [
                  { $ref: "#/components/schemas/OpenAiError" },
                  {
                    properties: {
                      error: { properties: { kind: { enum: ["quota_exceeded", "rate_limited"] } } },
                    },
                  },
                ],
              },
            },
          },
        },
      },
    });
  });

  it("has no content for 204, and the platform's security", () => {
    const operation = read.paths["/admin/tenants/{tenant}"]?.["delete"];
    expect(operation).toMatchObject({
      tags: ["tenants"],
      security: [{ adminToken: [] }, { accessToken: [] }],
    });
    expect(operation?.responses["204"]).not.toHaveProperty("content");
  });
});
