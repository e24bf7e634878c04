import * as v from "valibot";
import { createExecutionContext, env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import type { Failure } from "../../src/domain/ledger/failure.ts";
import { issueKey } from "../../src/http/authenticate.ts";
import { ok, raw } from "../../src/http/reply.ts";
import { defineRoute } from "../../src/http/route.ts";
import { createRouter } from "../../src/http/router.ts";
import { BODY_LIMITS, BodyBudget } from "../../src/io/body-budget.ts";

// What a request's body holds, from its first byte until its call is over, whatever happens.

const KB = 1024;
const LIMIT = 512 * KB;

/** What the handler waits for, and what a stream of it goes on for. */
let gate = Promise.withResolvers<void>();
let running = Promise.withResolvers<void>();
let budget = new BodyBudget();
/** Of a long reply: it has taken nothing, and leaves when it is given up. */
const reader = { takenBytes: () => 0, giveUp: () => running.resolve() };

const take = defineRoute({
  method: "POST",
  path: "/v1/things",
  summary: "Take a thing",
  surface: "native",
  auth: { kind: "key", roles: ["call"] },
  body: { schema: v.looseObject({ act: v.string() }), limitBytes: LIMIT },
  reply: { status: 200, schema: v.literal("taken") },
  failures: ["not_found"],
  handle: async ({ body }) => {
    await gate.promise;
    if (body["act"] === "throw") throw new Error("a bug");
    if (body["act"] === "refuse") return { kind: "not_found", what: "thing" };
    if (body["act"] === "stream") return raw(new Response("data: 1\n\n"), running.promise);
    if (body["act"] === "long") return raw(new Response("[1"), running.promise, reader);
    return ok("taken");
  },
});

let refusal: Failure | { readonly kind: "key_ended" } | null = null;
let key = "";

beforeEach(async () => {
  gate = Promise.withResolvers<void>();
  running = Promise.withResolvers<void>();
  budget = new BodyBudget({ ...BODY_LIMITS, waitMs: 200 });
  refusal = null;
  ({ key } = await issueKey("acme", [env.KEY_SECRETS]));
});

const routerOf = () =>
  createRouter([take], { mayRead: async () => refusal, record: async () => true, bodies: budget });

interface Sent {
  readonly body: string | ReadableStream<Uint8Array>;
  readonly headers?: Record<string, string>;
  readonly router?: ReturnType<typeof routerOf>;
}

function send({ body, headers = {}, router = routerOf() }: Sent): Promise<Response> {
  const request = new Request("https://gate.test/v1/things", {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body,
  });
  return router.fetch(request, env, createExecutionContext());
}

const padded = (act: string, bytes: number): string => `{"act":"${act}"}`.padEnd(bytes, " ");

const turns = () => scheduler.wait(5);

/** A body whose sender goes away after so many bytes. */
const broken = (bytes: number) =>
  new ReadableStream<Uint8Array>({
    pull(controller) {
      if (bytes > 0) controller.enqueue(new Uint8Array(bytes).fill(0x20));
      else controller.error(new Error("gone"));
      bytes = 0;
    },
  });

describe("what a body holds", () => {
  it.each([
    ["take", 200],
    ["refuse", 404],
    ["throw", 500],
  ])("is held while its call runs, and given back: %s", async (act, status) => {
    const reply = send({ body: padded(act, 100 * KB) });
    await turns();
    // Of JSON the value takes as much again.
    expect(budget.heldBytes).toBe(200 * KB);
    gate.resolve();
    expect((await reply).status).toBe(status);
    expect(budget.heldBytes).toBe(0);
  });

  it("is what has come of a small one", async () => {
    const reply = send({ body: padded("take", 1000) });
    await turns();
    expect(budget.heldBytes).toBe(1000);
    gate.resolve();
    await reply;
    expect(budget.heldBytes).toBe(0);
  });

  it("is held until a stream's call is over", async () => {
    gate.resolve();
    const reply = await send({ body: padded("stream", 100 * KB) });
    expect([reply.status, budget.heldBytes]).toEqual([200, 200 * KB]);
    running.resolve();
    await turns();
    expect(budget.heldBytes).toBe(0);
  });

  it("is held for the reader of a long reply, who gives way to others when slow", async () => {
    gate.resolve();
    const limits = { largeBytes: 300 * KB, smallBytes: 1 * KB, waitMs: 5000, patienceMs: 0 };
    budget = new BodyBudget({ ...BODY_LIMITS, ...limits });
    const router = routerOf();
    const reply = await send({ body: padded("long", 100 * KB), router });
    await scheduler.wait(1200);
    // Nobody waits: it may take its time.
    expect([reply.status, budget.heldBytes]).toEqual([200, 200 * KB]);
    const other = await send({ body: padded("take", 100 * KB), router });
    expect([other.status, budget.heldBytes]).toEqual([200, 0]);
  });

  it("is given back when the body is not to be had, read or taken", async () => {
    gate.resolve();
    const bodies: Sent[] = [
      { body: broken(10) },
      { body: broken(100 * KB) },
      { body: broken(0), headers: { "content-length": String(200 * KB) } },
      { body: padded("take", LIMIT + 1) },
      { body: "{".padEnd(100 * KB, " ") },
      { body: `{"act":1}`.padEnd(100 * KB, " ") },
      { body: padded("take", 100 * KB), headers: { "content-type": "text/plain" } },
    ];
    for (const sent of bodies) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status } = await send(sent);
      expect([status >= 400 && status < 500, budget.heldBytes]).toEqual([true, 0]);
    }
    refusal = { kind: "tenant_suspended" };
    expect((await send({ body: padded("take", 100 * KB) })).status).toBe(403);
    expect(budget.heldBytes).toBe(0);
  });
});

/** All that there is for large bodies is held. */
const full = () => {
  const other = budget.open("other");
  expect(other.hold(BODY_LIMITS.largeBytes)).toBe(true);
  return other;
};

describe("a body that does not fit", () => {
  it("waits for its turn, while small ones are served", async () => {
    gate.resolve();
    const other = full();
    const large = send({ body: padded("take", 100 * KB) });
    await turns();
    expect(budget.waiting).toBe(1);
    expect((await send({ body: padded("take", 60 * KB) })).status).toBe(200);
    other.release();
    expect((await large).status).toBe(200);
  });

  it("is refused when it has waited, and may come again in a second", async () => {
    gate.resolve();
    full();
    for (const headers of [{ "content-length": String(100 * KB) }, {}]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await send({ body: padded("take", 100 * KB), headers });
      expect([reply.status, reply.headers.get("retry-after")]).toEqual([503, "1"]);
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await reply.json()).toMatchObject({ kind: "unavailable", status: 503 });
    }
    expect([budget.waiting, budget.heldBytes]).toEqual([0, BODY_LIMITS.largeBytes]);
  });

  it("has those give way that send nothing", async () => {
    gate.resolve();
    budget = new BodyBudget({
      ...BODY_LIMITS,
      largeBytes: 400 * KB,
      waitMs: 3000,
      patienceMs: 0,
    });
    const router = routerOf();
    const silent = new ReadableStream<Uint8Array>({});
    const headers = { "content-length": String(200 * KB) };
    const slow = send({ body: silent, headers, router });
    await turns();
    expect(budget.heldBytes).toBe(400 * KB);
    const other = send({ body: padded("take", 200 * KB), headers, router });
    expect((await slow).status).toBe(503);
    expect((await other).status).toBe(200);
    expect(budget.heldBytes).toBe(0);
  });
});

describe("a key that has ended", () => {
  it("is refused from then on, whatever it asks for", async () => {
    gate.resolve();
    refusal = { kind: "key_ended" };
    const router = routerOf();
    expect((await send({ body: padded("take", 100 * KB), router })).status).toBe(401);
    refusal = null;
    expect((await send({ body: padded("take", 10), router })).status).toBe(401);
    // Another isolate has not heard of it.
    expect((await send({ body: padded("take", 10) })).status).toBe(200);
  });

  it("is not remembered where it may come back", async () => {
    gate.resolve();
    const router = routerOf();
    refusal = { kind: "invalid_key" };
    expect((await send({ body: padded("take", 100 * KB), router })).status).toBe(401);
    refusal = null;
    expect((await send({ body: padded("take", 100 * KB), router })).status).toBe(200);
  });
});
