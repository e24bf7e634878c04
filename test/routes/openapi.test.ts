import { beforeAll, describe, expect, it } from "vitest";
import { mountsOf } from "../../src/http/mount.ts";
import { ROUTES } from "../../src/routes/routes.ts";
import { ask } from "../client.ts";

// The served document, read as a client generator reads it.

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Operation = {
  operationId: string;
  security: object[];
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
};

let document: {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, Json>>;
};
let operations: { path: string; method: string; operation: Operation }[];

beforeAll(async () => {
  document = (await ask("GET", "/openapi.json")).body;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
});

function refsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" ? [inner] : refsIn(inner),
  );
}

function resolve(ref: string): unknown {
  let at: unknown = document;
  for (const token of ref.replace(/^#\//, "").split("/")) {
    const name = decodeURIComponent(token).replaceAll("~1", "/").replaceAll("~0", "~");
    at = typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined;
  }
  return at;
}

/** The drop-ins: their errors are in OpenAI's shape. */
const OPENAI_PATHS: readonly string[] = [
  "/v1/moderations",
  "/v1/embeddings",
  "/v1/images/generations",
  "/v1/images/edits",
  "/v1/images/variations",
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/responses",
  "/v1/responses/{id}",
  "/v1/responses/{id}/input_items",
  "/v1/models",
  "/v1/models/{id}",
  "/v1/audio/transcriptions",
  "/v1/audio/translations",
  "/v1/audio/speech",
];
const ACCOUNT = "/client/v4/accounts/{account}/ai";

/** Below an account, OpenAI's routes are OpenAI's and the others Cloudflare's. */
function shapeOf(path: string): { readonly type: string; readonly shape: string } {
  const [, under = path] = path.split(ACCOUNT);
  if (OPENAI_PATHS.includes(under)) return { type: "application/json", shape: "OpenAiError" };
  if (/^\/(?:v1alpha1|\$discovery)\//.test(path))
    return { type: "application/json", shape: "PerspectiveError" };
  if (path.startsWith(ACCOUNT)) return { type: "application/json", shape: "WorkersAiError" };
  return { type: "application/problem+json", shape: "Problem" };
}

describe("/openapi.json", () => {
  it("is OpenAPI 3.1 and every $ref in it resolves", () => {
    expect(document.openapi).toBe("3.1.1");
    const refs = [...new Set(refsIn(document))];
    expect(refs.length).toBeGreaterThan(2);
    for (const ref of refs) expect(resolve(ref), ref).toBeTypeOf("object");
  });

  it("has every route and every mirror, and nothing else", () => {
    const mounts = mountsOf(ROUTES).map(
      ({ method, path }) => `${method.toLowerCase()} ${path.replace(/(?<=\/):(\w+)\+?/g, "{$1}")}`,
    );
    expect(operations.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
      mounts.toSorted(),
    );
  });

  it("names each operation once", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9]+$/);
  });

  it("declares every parameter of a path, and bodies where there are some", () => {
    for (const { path, method, operation } of operations) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
      const declared = operation.parameters.filter((parameter) => parameter.in === "path");
      expect(declared.map(({ name }) => name).toSorted(), path).toEqual(names.toSorted());
      expect(declared.every(({ required }) => required)).toBe(true);
      if (method === "get" || method === "delete") expect(operation.requestBody).toBeUndefined();
      if (method === "put" || method === "patch") expect(operation.requestBody).toBeDefined();
    }
  });

  it("has the error shape of its surface on each operation", () => {
    for (const { path, operation } of operations) {
      const failing = Object.entries(operation.responses).filter(([status]) => status >= "400");
      expect(failing.length, path).toBeGreaterThan(0);
      for (const [status, { content }] of failing) {
        const { type, shape } = shapeOf(path);
        expect(Object.keys(content ?? {}), `${path} ${status}`).toEqual([type]);
        expect(refsIn(content)).toContain(`#/components/schemas/${shape}`);
      }
      const succeeding = Object.keys(operation.responses).filter((status) => status < "300");
      // A PUT of a tenant may make one, a PUT of all may fail in part.
      const twofold = ["/admin/tenants/{tenant}", "/admin/state"].includes(path);
      const both = twofold && operation.operationId.startsWith("put");
      expect(succeeding, path).toHaveLength(both ? 2 : 1);
    }
  });

  it("says which credential opens what", () => {
    for (const { path, operation } of operations) {
      const expected =
        path.startsWith("/admin/") || path === "/metrics"
          ? [{ adminToken: [] }, { accessToken: [] }]
          : path.startsWith("/v1/") || path.startsWith("/client/")
            ? [{ tenantKey: [] }, { namedKey: [] }]
            : [];
      if (path.startsWith("/v1alpha1/")) {
        const asGoogle = [{ tenantKey: [] }, { googleKey: [] }, { namedKey: [] }, { queryKey: [] }];
        expect(operation.security, path).toEqual(asGoogle);
        continue;
      }
      expect(operation.security, path).toEqual(expected);
    }
  });

  it("describes forms with their files, and replies that are no JSON", () => {
    const transcription = document.paths["/v1/audio/transcriptions"]?.["post"];
    expect(Object.keys(transcription?.requestBody?.content ?? {})).toEqual(["multipart/form-data"]);
    expect(transcription?.requestBody?.content["multipart/form-data"]?.schema).toMatchObject({
      required: ["file", "model"],
      properties: { file: { type: "string", format: "binary" }, language: { type: "string" } },
    });
    expect(Object.keys(transcription?.responses["200"]?.content ?? {})).toEqual([
      "application/json",
      "text/plain",
      "text/event-stream",
    ]);
    const speech = document.paths["/v1/audio/speech"]?.["post"];
    const spoken = Object.keys(speech?.responses["200"]?.content ?? {});
    expect(spoken).toContain("audio/mpeg");
    expect(spoken).toContain("audio/wav");
  });
});
