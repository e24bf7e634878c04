import { createExecutionContext, env } from "cloudflare:test";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { acted, ok, raw } from "../../src/http/reply.ts";
import { issueKey } from "../../src/http/authenticate.ts";
import { createRouter, type RouterDeps } from "../../src/http/router.ts";
import { defineRoute } from "../../src/http/route.ts";
import { strictObject } from "../../src/api/object-input.ts";

const health = defineRoute({
  method: "GET",
  path: "/healthz",
  summary: "Alive",
  surface: "native",
  auth: { kind: "none", evenMisconfigured: true },
  reply: { status: 200, schema: v.strictObject({ configured: v.boolean() }) },
  failures: [],
  handle: async ({ config }) => ok({ configured: config !== null }),
});

const readItem = defineRoute({
  method: "GET",
  path: "/v1/items/:id",
  summary: "Read an item",
  surface: "native",
  auth: { kind: "key", roles: ["review"] },
  mirror: "/admin/tenants/:tenant/items/:id",
  query: v.strictObject({ limit: v.optional(v.pipe(v.string(), v.regex(/^\d+$/))) }),
  reply: { status: 200, schema: v.looseObject({ id: v.string() }) },
  failures: ["not_found"],
  handle: async ({ params, query, caller }) =>
    params.id === "none"
      ? { kind: "not_found", what: "item" }
      : ok({ id: params.id, limit: query.limit ?? null, caller }),
});

const newest = defineRoute({
  method: "GET",
  path: "/v1/items/newest",
  summary: "The newest",
  surface: "native",
  auth: { kind: "key", roles: [] },
  reply: { status: 200, schema: v.literal("newest") },
  failures: [],
  handle: async () => ok("newest"),
});

const makeItem = defineRoute({
  method: "POST",
  path: "/v1/items",
  summary: "Make an item",
  surface: "native",
  auth: { kind: "key", roles: ["call"] },
  body: { schema: strictObject({ text: v.string() }), limitBytes: 50 },
  reply: { status: 201, schema: v.strictObject({ text: v.string(), bytes: v.number() }) },
  failures: [],
  handle: async ({ body, rawBody }) =>
    ok({ text: body.text, bytes: rawBody.length }, { headers: { "x-extra": "1" } }),
});

const rotate = defineRoute({
  method: "POST",
  path: "/v1/items/:id/rotate",
  summary: "Rotate",
  surface: "native",
  auth: { kind: "key", roles: [] },
  body: {
    schema: v.strictObject({ overlap_s: v.optional(v.number(), 86_400) }),
    limitBytes: 50,
    optional: true,
  },
  reply: { status: 200, schema: v.number() },
  failures: [],
  handle: async ({ body }) => ok(body.overlap_s),
});

const chat = defineRoute({
  method: "POST",
  path: "/v1/chat/completions",
  summary: "Chat",
  surface: "openai",
  auth: { kind: "key", roles: ["call"] },
  body: { schema: v.looseObject({ model: v.string() }), limitBytes: 1000 },
  reply: { status: 200, schema: v.string(), contentType: "text/event-stream" },
  failures: [],
  handle: async ({ body }) => {
    if (body.model === "boom") throw new TypeError("this may hold content");
    return raw(
      new Response("data: [DONE]\n\n", { headers: { "content-type": "text/event-stream" } }),
    );
  },
});

const listTenants = defineRoute({
  method: "GET",
  path: "/admin/tenants",
  summary: "Tenants",
  surface: "native",
  auth: { kind: "platform" },
  reply: { status: 200, schema: v.string() },
  failures: [],
  handle: async ({ caller }) => ok(caller.actor),
});

/** The platform records the end of an item; `late` is refused after the act, `none` before it. */
const endItem = defineRoute({
  method: "DELETE",
  path: "/v1/items/:id",
  summary: "End an item",
  surface: "native",
  auth: { kind: "key", roles: [] },
  mirror: "/admin/tenants/:tenant/items/:id",
  reply: { status: 200, schema: v.string() },
  failures: ["not_found"],
  audit: "act",
  handle: async ({ params: { id } }) => {
    if (id === "none") return { kind: "not_found", what: "item" };
    return acted({ item: id }, async () => {
      steps.push("reply");
      return id === "late" ? { kind: "not_found", what: "item" } : ok("ended");
    });
  },
});

const routes = [health, readItem, newest, makeItem, rotate, chat, listTenants, endItem];

/** What was recorded, and when replies were made. */
let steps: unknown[] = [];
let isLogUp = true;

const DEPS: RouterDeps = {
  mayRead: async () => null,
  record: async ({ caller }, action, detail) => {
    steps.push([caller, action, detail]);
    return isLogUp;
  },
};
const router = createRouter(routes, DEPS);

interface Asked extends RequestInit {
  readonly key?: string;
  readonly env?: Env;
}

async function ask(path: string, { key, env: other, ...init }: Asked = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
  if (init.body !== undefined && !headers.has("content-type")) {
    headers.set("content-type", "application/json");
  }
  const request = new Request(`https://gate.test${path}`, { ...init, headers });
  return router.fetch(request, other ?? env, createExecutionContext());
}

const kindOf = async (reply: Response): Promise<unknown> =>
  (await reply.json<{ kind?: unknown }>()).kind;

let key = "";
beforeEach(async () => {
  steps = [];
  isLogUp = true;
  ({ key } = await issueKey("acme", [env.KEY_SECRETS]));
});
afterEach(() => {
  vi.restoreAllMocks();
});

const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
  ask("/v1/items", { method: "POST", key, body, headers });

describe("every reply", () => {
  it("has an id of ours, and may not be kept or sniffed", async () => {
    const reply = await ask("/healthz", { headers: { "x-request-id": "theirs" } });
    expect(reply.status).toBe(200);
    expect(reply.headers.get("x-request-id")).toMatch(/^req_[0-9A-Z]{26}$/);
    expect(reply.headers.get("cache-control")).toBe("no-store");
    expect(reply.headers.get("x-content-type-options")).toBe("nosniff");
    expect(reply.headers.get("content-security-policy")).toBe(
      "default-src 'none'; frame-ancestors 'none'; sandbox",
    );
    expect(reply.headers.get("vary")).toBeNull();
    expect(await reply.json()).toEqual({ configured: true });
  });

  it("names its id in the problem", async () => {
    const reply = await ask("/v1/items/none", { key });
    expect(reply.status).toBe(404);
    expect(await reply.json()).toMatchObject({
      kind: "not_found",
      detail: "There is no such item.",
      instance: "/v1/items/none",
      request_id: reply.headers.get("x-request-id"),
    });
  });

  it("has no body for HEAD", async () => {
    const reply = await ask("/healthz", { method: "HEAD" });
    expect([reply.status, await reply.text()]).toEqual([200, ""]);
    expect(reply.headers.get("content-type")).toBe("application/json");
  });

  it("may be a stream", async () => {
    const reply = await ask("/v1/chat/completions", { method: "POST", key, body: '{"model":"a"}' });
    expect(reply.headers.get("content-type")).toBe("text/event-stream");
    expect(reply.headers.get("x-request-id")).toMatch(/^req_/);
    expect(await reply.text()).toBe("data: [DONE]\n\n");
  });
});

describe("paths", () => {
  it.each([
    ["/", 404],
    ["/v1/items/", 404],
    ["/v1/items/a/", 404],
    ["/v1/items//", 404],
    ["/nothing", 404],
    ["/healthz/", 404],
    [`/v1/items/${"a".repeat(5000)}`, 404],
  ])("%s is %d", async (path, status) => {
    const reply = await ask(path, { key });
    expect(reply.status).toBe(status);
    expect(reply.headers.get("content-type")).toBe("application/problem+json");
    expect(await kindOf(reply)).toBe("not_found");
  });

  it("answers another method with 405 and Allow", async () => {
    const reply = await ask("/v1/items/newest", { method: "DELETE", key });
    expect([reply.status, reply.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await reply.json()).toMatchObject({
      status: 405,
      title: "Method Not Allowed",
      kind: "method_not_allowed",
      detail: "This path takes GET, HEAD and no other method.",
    });
    expect((await ask("/v1/items", { method: "HEAD", key })).headers.get("allow")).toBe("POST");
    expect((await ask("/v1/items", { method: "OPTIONS" })).status).toBe(405);
  });

  it("speaks OpenAI's shape below OpenAI's paths", async () => {
    for (const init of [{ method: "GET", key }, { method: "POST" }]) {
      const reply = await ask("/v1/chat/completions", init);
      expect(reply.headers.get("content-type")).toBe("application/json");
      expect(await reply.json()).toHaveProperty("error.code");
    }
    const reply = await ask("/v1/chat/completions/x", { key });
    expect(reply.status).toBe(404);
    expect(await reply.json()).toMatchObject({ error: { code: "not_found" } });
    const wrong = await ask("/v1/chat/completionsx", { key });
    expect(await wrong.json()).toMatchObject({ error: { code: "not_found" } });
  });

  it("prefers a name to a parameter", async () => {
    expect(await (await ask("/v1/items/newest", { key })).json()).toBe("newest");
  });

  it("decodes parameters once", async () => {
    const encoded = await ask("/v1/items/a%252Fb%2F%C3%A9", { key });
    expect(await encoded.json()).toMatchObject({ id: "a%2Fb/é" });
    const broken = await ask("/v1/items/%ff", { key });
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({
      errors: [{ pointer: "#/id", detail: "must be percent-encoded UTF-8" }],
    });
    expect((await ask(`/v1/items/${"a".repeat(201)}`, { key })).status).toBe(400);
  });

  it("refuses a list in which two routes answer the same", () => {
    expect(() => createRouter([...routes, newest], DEPS)).toThrow("two routes answer GET");
  });
});

describe("keys", () => {
  const forged = `ng_acme_${"a".repeat(43)}`;

  it("says who calls", async () => {
    expect(await (await ask("/v1/items/a", { key })).json()).toMatchObject({
      caller: { kind: "key", tenant: "acme", roles: ["review"] },
    });
    const lower = await ask("/v1/items/a", { headers: { authorization: `bearer ${key}` } });
    expect(lower.status).toBe(200);
  });

  it("mounts a tenant's route for the platform", async () => {
    const reply = await ask("/admin/tenants/acme/items/a", { key: env.ADMIN_TOKEN });
    expect(await reply.json()).toMatchObject({
      id: "a",
      caller: { kind: "platform", actor: "admin_token", tenant: "acme" },
    });
    const wrong = await ask("/admin/tenants/Acme/items/a", { key: env.ADMIN_TOKEN });
    expect(await wrong.json()).toMatchObject({ errors: [{ pointer: "#/tenant" }] });
    const admin = await ask("/admin/tenants", { key: env.ADMIN_TOKEN });
    expect(await admin.json()).toBe("admin_token");
  });

  it("refuses every other caller with the same reply", async () => {
    const refused = await Promise.all([
      ask("/v1/items/a"),
      ask("/v1/items/a", { key: "" }),
      ask("/v1/items/a", { key: forged }),
      ask("/v1/items/a", { key: env.ADMIN_TOKEN }),
      ask("/v1/items/a", { headers: { authorization: `Basic ${key}` } }),
      ask("/v1/items/a", { headers: { authorization: key } }),
      ask("/admin/tenants", { key }),
      ask("/admin/tenants/acme/items/a", { key }),
      ask("/admin/tenants/acme/items/a"),
    ]);
    const bodies = await Promise.all(
      refused.map(async (reply) => {
        expect(reply.status).toBe(401);
        expect(reply.headers.get("www-authenticate")).toBe("Bearer");
        const {
          instance: _i,
          request_id: _r,
          ...rest
        } = await reply.json<Record<string, unknown>>();
        return JSON.stringify(rest);
      }),
    );
    expect(new Set(bodies).size).toBe(1);
  });

  it("checks the key before it reads the body", async () => {
    let pulled = false;
    const body = new ReadableStream(
      {
        pull(controller) {
          pulled = true;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const reply = await ask("/v1/items", { method: "POST", key: forged, body });
    expect([reply.status, pulled]).toEqual([401, false]);
  });
});

const end = (path: string, by: string) => ask(path, { method: "DELETE", key: by });

describe("an act", () => {
  const platform = { kind: "platform", actor: "admin_token", tenant: "acme" };
  const recorded = (item: string) => [
    platform,
    "DELETE /admin/tenants/{tenant}/items/{id}",
    { item },
  ];

  it("of the platform is recorded before its reply is made", async () => {
    const reply = await end("/admin/tenants/acme/items/a", env.ADMIN_TOKEN);
    expect([reply.status, await reply.json()]).toEqual([200, "ended"]);
    expect(steps).toEqual([recorded("a"), "reply"]);
  });

  it("stays recorded when something after it fails", async () => {
    expect((await end("/admin/tenants/acme/items/late", env.ADMIN_TOKEN)).status).toBe(404);
    expect(steps).toEqual([recorded("late"), "reply"]);
  });

  it("that could not be recorded is no success", async () => {
    isLogUp = false;
    const reply = await end("/admin/tenants/acme/items/a", env.ADMIN_TOKEN);
    expect([reply.status, await kindOf(reply)]).toEqual([503, "unavailable"]);
    expect(steps).toEqual([recorded("a")]);
  });

  it("that was refused is not recorded", async () => {
    expect((await end("/admin/tenants/acme/items/none", env.ADMIN_TOKEN)).status).toBe(404);
    expect(steps).toEqual([]);
  });

  it("of a tenant's own key is not recorded", async () => {
    expect((await end("/v1/items/a", key)).status).toBe(200);
    expect(steps).toEqual(["reply"]);
  });
});

describe("bodies and queries", () => {
  it("gives the handler both the value and the bytes", async () => {
    const reply = await post('{ "text": "é" }');
    expect([reply.status, reply.headers.get("x-extra")]).toEqual([201, "1"]);
    expect(await reply.json()).toEqual({ text: "é", bytes: 16 });
  });

  it.each([
    ['{"text":1}', 400, "#/text", "must be a string"],
    ['{"text":"a","more":1}', 400, "#/more", "is not a known field"],
    ["[]", 400, "#", "must be an object"],
    ["{", 400, "#", "must be JSON"],
  ])("%s", async (body, status, pointer, detail) => {
    const reply = await post(body);
    expect(reply.status).toBe(status);
    expect(await reply.json()).toMatchObject({ errors: [{ pointer, detail }] });
  });

  it("refuses what is too large or no JSON", async () => {
    expect((await post(`{"text":"${"a".repeat(50)}"}`)).status).toBe(413);
    expect((await post("{}", { "content-type": "text/plain" })).status).toBe(415);
  });

  it("reads an absent body as {} only where a route says so", async () => {
    const reply = await ask("/v1/items/a/rotate", { method: "POST", key });
    expect(await reply.json()).toBe(86_400);
    const given = await ask("/v1/items/a/rotate", { method: "POST", key, body: '{"overlap_s":0}' });
    expect(await given.json()).toBe(0);
    expect((await ask("/v1/items", { method: "POST", key })).status).toBe(415);
  });

  it("parses the query", async () => {
    expect(await (await ask("/v1/items/a?limit=5", { key })).json()).toMatchObject({ limit: "5" });
    for (const query of ["limit=x", "limit=1&limit=2", "page=1", "__proto__=1"]) {
      expect((await ask(`/v1/items/a?${query}`, { key })).status).toBe(400);
    }
  });
});

describe("without secrets", () => {
  const closed: Env = { ...env, KEY_SECRETS: "short" };

  it("answers 503 to everything but /healthz, and says so once in the log", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const init = { key, env: closed };
    const replies = await Promise.all(
      ["/v1/items/a", "/admin/tenants", "/v1/nothing", "/v1/chat/completions"].map((path) =>
        ask(path, init),
      ),
    );
    for (const reply of replies) {
      expect(reply.status).toBe(503);
      expect(reply.headers.get("x-should-retry")).toBe("false");
    }
    expect(await (await ask("/healthz", init)).json()).toEqual({ configured: false });
    expect(log.mock.calls).toEqual([
      [JSON.stringify({ error: "misconfigured", settings: ["KEY_SECRETS"] })],
    ]);
  });
});

describe("a thrown exception", () => {
  it("is a fixed 500 and one line without its message", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const init = { method: "POST", key, body: '{"model":"boom"}' };
    const reply = await ask("/v1/chat/completions", init);
    expect(reply.status).toBe(500);
    const requestId = reply.headers.get("x-request-id");
    expect(await reply.json()).toEqual({
      error: {
        message: "Something went wrong here. Search the log for the request id.",
        type: "server_error",
        param: null,
        code: "internal",
        kind: "internal",
        request_id: requestId,
      },
    });
    expect(log.mock.calls).toEqual([
      [
        JSON.stringify({
          request_id: requestId,
          route: "POST /v1/chat/completions",
          error: "TypeError",
        }),
      ],
    ]);
  });
});

describe("CORS", () => {
  const open = { ...env, CORS_ORIGINS: "https://app.example" };
  const asks = {
    method: "OPTIONS",
    headers: {
      origin: "https://app.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization, content-type, x-stainless-lang",
    },
  };

  it("is off unless it is configured", async () => {
    expect((await ask("/v1/items", asks)).status).toBe(405);
    const reply = await ask("/healthz", { headers: { origin: "https://app.example" } });
    expect(reply.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("answers preflights of listed origins", async () => {
    const reply = await ask("/v1/items", { ...asks, env: open });
    expect(reply.status).toBe(204);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "authorization, content-type, x-stainless-lang",
      vary: "Origin",
    });
    expect((await ask("/v1/nothing", { ...asks, env: open })).status).toBe(404);
  });

  it("lets listed origins read replies, and errors, and no others", async () => {
    const listed = { headers: { origin: "https://app.example" }, env: open };
    const reply = await ask("/v1/items/a", listed);
    expect(reply.status).toBe(401);
    expect(reply.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(reply.headers.get("access-control-expose-headers")).toContain("x-request-id");
    const other = await ask("/healthz", { headers: { origin: "https://evil.example" }, env: open });
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
    expect(other.headers.get("vary")).toBe("Origin");
  });
});
