import { createExecutionContext, env } from "cloudflare:test";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ok } from "../../src/http/reply.ts";
import { issueKey } from "../../src/http/authenticate.ts";
import { createRouter } from "../../src/http/router.ts";
import { defineRoute } from "../../src/http/route.ts";

const MARKED = "qzvkmarked";

const writeItem = defineRoute({
  method: "POST",
  path: "/v1/items/:id",
  summary: "Write an item",
  surface: "native",
  auth: { kind: "key", roles: ["call"] },
  mirror: "/admin/tenants/:tenant/items/:id",
  query: v.object({ user_id: v.optional(v.string()) }),
  body: { schema: v.object({ text: v.string() }), limitBytes: 1000 },
  reply: { status: 200, schema: v.string() },
  failures: ["not_found", "engine_failed"],
  handle: async ({ body }) => {
    switch (body.text) {
      case "missing":
        return { kind: "not_found", what: "item" };
      case "broken":
        return { kind: "engine_failed", charged: false };
      case "thrown":
        throw new TypeError(MARKED);
      default:
        return ok(body.text, { headers: { "x-neurogate-micro-neurons": "228055" } });
    }
  },
});

const router = createRouter([writeItem], {
  mayRead: async () => null,
  record: async () => true,
});
let key = "";
let lines: unknown[] = [];

beforeEach(async () => {
  lines = [];
  const made = await issueKey("acme", [env.KEY_SECRETS]);
  key = made.key;
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(JSON.parse(line)));
  vi.spyOn(console, "error").mockImplementation((line: string) => lines.push(JSON.parse(line)));
});

afterEach(() => {
  vi.restoreAllMocks();
});

interface Asked {
  readonly text?: string;
  readonly method?: string;
  readonly authorization?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

function send(path: string, asked: Asked = {}): Promise<Response> {
  const { text = MARKED, method = "POST", authorization = `Bearer ${key}`, settings } = asked;
  const body = method === "POST" ? JSON.stringify({ text }) : null;
  const headers = { authorization, "content-type": "application/json", "user-agent": MARKED };
  const request = new Request(`https://gate.test${path}`, { method, headers, body });
  return router.fetch(request, { ...env, ...settings }, createExecutionContext());
}

describe("the line of a request", () => {
  it("names the request, its route and what it came to", async () => {
    const response = await send(`/v1/items/${MARKED}?user_id=${MARKED}`);
    expect(lines).toEqual([
      {
        level: "info",
        event: "request",
        request_id: response.headers.get("x-request-id"),
        method: "POST",
        route: "/v1/items/:id",
        status: 200,
        kind: null,
        tenant: "acme",
        duration_ms: expect.any(Number),
        micro_neurons: 228_055,
      },
    ]);
  });

  it.each([
    ["missing", { level: "warn", status: 404, kind: "not_found", tenant: "acme" }],
    ["broken", { level: "error", status: 502, kind: "engine_failed", micro_neurons: null }],
  ])("says how it failed: %s", async (text, line) => {
    await send("/v1/items/a", { text });
    expect(lines).toMatchObject([line]);
  });

  it("follows that of an exception, of which only the name is told", async () => {
    await send("/v1/items/a", { text: "thrown" });
    expect(lines).toMatchObject([
      { error: "TypeError", route: "POST /v1/items/:id" },
      { level: "error", event: "request", status: 500, kind: "internal", tenant: "acme" },
    ]);
    expect(JSON.stringify(lines)).not.toContain(MARKED);
  });

  it("names whom the platform named, once that is a tenant's id", async () => {
    const authorization = `Bearer ${env.ADMIN_TOKEN}`;
    await send("/admin/tenants/globex/items/a", { authorization });
    await send("/admin/tenants/%20marked/items/a", { authorization });
    expect(lines).toMatchObject([{ tenant: "globex" }, { tenant: null }]);
  });

  it("holds nothing of a caller's, whatever was asked", async () => {
    const paths = [`/v1/items/${MARKED}`, `/${MARKED}`, `/v1/items/a?${MARKED}=${MARKED}`];
    for (const path of paths) {
      for (const authorization of [
        `Bearer ${key}`,
        `Bearer ${MARKED}`,
        MARKED,
        `Basic ${MARKED}`,
      ]) {
        for (const method of ["POST", "GET"]) {
          // oxlint-disable-next-line no-await-in-loop -- in order
          await send(path, { authorization, method });
        }
      }
    }
    expect(lines).toHaveLength(24);
    const printed = JSON.stringify(lines).toLowerCase();
    expect(printed).not.toContain(MARKED);
    expect(printed).not.toContain(key.toLowerCase());
    expect(printed).not.toContain(key.split("_").at(-1)?.toLowerCase().slice(0, 20));
  });
});

describe("LOG_LEVEL", () => {
  it.each([
    ["info", ["info", "warn", "error"]],
    ["warn", ["warn", "error"]],
    ["error", ["error"]],
  ])("%s", async (LOG_LEVEL, written) => {
    for (const text of ["fine", "missing", "broken"]) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await send("/v1/items/a", { text, settings: { LOG_LEVEL } });
    }
    expect(lines.map((line) => (line as { level: string }).level)).toEqual(written);
  });
});
