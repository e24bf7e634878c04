import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FailureKind } from "../../src/domain/ledger/failure.ts";
import { STATUS } from "../../src/http/failure-status.ts";
import { tenantObject } from "../../src/edge/bindings.ts";
import { admin, ask, makeKey, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { rows, withAllTables } from "../durable-objects/a-tenant.ts";
import { arrived, type Scripted, scripted, unique } from "./scripted.ts";

// Every kind of failure, produced over HTTP. A new kind does not compile without its place here.

const HELLO = { text: "hello there" };
const POST = ["POST", "/v1/verdicts", HELLO] as const;

/** What upstream says of the account's allocation closes the day to every tenant. */
afterEach(async () => void (await admin("POST", "/admin/account/reopen")));

const newTenant = (settings: object = {}): Promise<TestTenant> =>
  makeTenant(`fails-${unique()}`, { ...settings });

/** A call in progress: its engine says nothing until `end`. */
async function hanging(tenant: TestTenant, headers?: Record<string, string>) {
  const content: Scripted = scripted("hang");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const body = { text: content.text };
  const reply = tenant.onWorkersAi("POST", "/v1/verdicts", body, headers);
  await arrived(content, 2);
  const end = async (): Promise<Reply> => {
    vi.advanceTimersByTime(25_000);
    return reply;
  };
  return { body, end };
}

/** While a call of the tenant is in progress. */
async function during(
  tenant: TestTenant,
  act: (body: object) => Promise<Reply>,
  headers?: Record<string, string>,
): Promise<Reply> {
  const { body, end } = await hanging(tenant, headers);
  const reply = await act(body);
  await end();
  vi.useRealTimers();
  return reply;
}

/** Waits of the call itself (between repeats of an RPC) are skipped. */
async function withoutWaiting(call: () => Promise<Reply>): Promise<Reply> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const reply = call();
  const state = { done: false };
  void reply.finally(() => (state.done = true));
  while (!state.done) {
    // oxlint-disable-next-line no-await-in-loop -- until it has answered
    await scheduler.wait(1);
    vi.advanceTimersByTime(1000);
  }
  vi.useRealTimers();
  return reply;
}

const stub = (object: object) => ({ TENANT: { getByName: () => object } });
/** As the runtime marks what may be asked again. */
const lost = (): Error =>
  Object.assign(new Error("Network connection lost."), { retryable: true, remote: true });
const broken = async (): Promise<never> => {
  throw lost();
};

/** Changes a policy behind the border's back, as a price that was taken back would. */
async function withJudge(tenant: TestTenant, models: object): Promise<Reply> {
  const object = env.TENANT.getByName(tenant.id);
  await runInDurableObject(object, (_, { storage }) => {
    const [row] = storage.sql.exec<{ body: string }>("SELECT body FROM policies").toArray();
    const policy = JSON.parse(row?.body ?? "{}");
    const body = JSON.stringify({ ...policy, models: { ...policy.models, ...models } });
    storage.sql.exec("UPDATE policies SET body = ?", body);
  });
  return tenant.call(...POST);
}

const PRODUCERS: Readonly<Record<FailureKind, string | (() => Promise<Reply>)>> = {
  invalid_key: () => ask("GET", "/v1/limits", { key: "ng_nobody_x" }),
  tenant_suspended: async () => (await newTenant({ suspended: true })).call(...POST),
  role_required: async () => {
    const { id } = await newTenant();
    return ask("GET", "/v1/ledger", { key: await makeKey(id, "call") });
  },
  model_not_allowed: async () => (await newTenant({ models: [] })).call(...POST),
  invalid_request: async () => (await newTenant()).call("POST", "/v1/verdicts", {}),
  comment_refused: async () =>
    (await newTenant()).call("POST", "/v1alpha1/comments:analyze", { comment: { text: "" } }),
  unpriced_model: async () =>
    withJudge(await newTenant(), { judge: "@cf/google/gemma-2b-it-lora" }),
  unbounded_usage: async () => withJudge(await newTenant(), { judge: "@cf/baai/bge-m3" }),
  unsupported_parameter: "of generation calls, a later issue",
  over_limit: async () => (await newTenant({ daily_neurons: 1 })).call(...POST),
  not_found: async () => (await newTenant()).call("GET", "/v1/verdicts/vrd_missing"),
  method_not_allowed: async () => (await newTenant()).call("DELETE", "/v1/verdicts"),
  model_not_found: async () =>
    (await newTenant()).call("POST", "/v1/moderations", { input: "x", model: "gpt-4o" }),
  model_retired: async () => withJudge(await newTenant(), { judge: "@cf/defog/sqlcoder-7b-2" }),
  body_too_large: async () =>
    (await newTenant()).call("POST", "/v1/keys", { name: "x".repeat(5000) }),
  unsupported_media_type: async () =>
    (await newTenant()).call("POST", "/v1/verdicts", "{}", { "Content-Type": "text/plain" }),
  idempotency_key_reused: async () => {
    const tenant = await newTenant();
    const key = { "Idempotency-Key": "one" };
    await tenant.call(...POST, key);
    return tenant.call("POST", "/v1/verdicts", { text: "another text" }, key);
  },
  idempotency_in_progress: async () => {
    const tenant = await newTenant();
    const key = { "Idempotency-Key": "one" };
    return during(tenant, (body) => tenant.onWorkersAi("POST", "/v1/verdicts", body, key), key);
  },
  idempotency_replay_unavailable: async () => {
    const tenant = await newTenant();
    const key = { "Idempotency-Key": "one" };
    await tenant.call(...POST, key);
    await runInDurableObject(env.TENANT.getByName(tenant.id), (_, { storage }) => {
      storage.sql.exec("DELETE FROM verdicts");
    });
    return tenant.call(...POST, key);
  },
  session_busy: "of sessions: sessions.test.ts",
  apply_conflict: "of documents in parts: state-applies.test.ts",
  review_conflict: "of reviews, a later issue",
  webhook_disabled: "of deliveries: webhooks.test.ts",
  version_conflict: async () => {
    const { id } = await newTenant();
    const body = { daily_neurons: 5 };
    const headers = { "If-Match": '"7"' };
    return ask("PATCH", `/admin/tenants/${id}`, { key: env.ADMIN_TOKEN, body, headers });
  },
  quota_exceeded: async () => {
    const tenant = await newTenant({ daily_neurons: 20 });
    await tenant.call(...POST);
    return tenant.call(...POST);
  },
  overage_cap_exceeded: async () => {
    const plan = { plan: "paid", daily_neurons: 10, overage_cap_neurons: 10 };
    const tenant = await newTenant(plan);
    await tenant.call(...POST);
    return tenant.call(...POST);
  },
  account_quota_exceeded: async () => {
    const tenant = await newTenant();
    await tenant.onWorkersAi("POST", "/v1/verdicts", { text: scripted("3036").text });
    return tenant.call(...POST);
  },
  rate_limited: async () => {
    const tenant = await newTenant({ rpm: { text_generation: 1 } });
    await tenant.call(...POST);
    return tenant.call(...POST);
  },
  quota_reserved: async () => {
    const tenant = await newTenant({ daily_neurons: 20 });
    return during(tenant, () => tenant.call(...POST));
  },
  concurrency_exceeded: async () => {
    const tenant = await newTenant({ max_in_flight: 1 });
    return during(tenant, () => tenant.call(...POST));
  },
  upstream_rejected: "test/routes/upstream-rejected.test.ts: of generation calls only",
  engine_unsupported: "of generation calls, a later issue",
  engine_failed: "of generation calls, a later issue: a moderation call answers 200",
  engine_busy: "of generation calls, a later issue",
  engine_timeout: "of generation calls, a later issue",
  unavailable: async () => {
    const { key } = await newTenant();
    const dead = stub({ admit: broken, settle: broken });
    return withoutWaiting(() => ask("POST", "/v1/verdicts", { key, body: HELLO, env: dead }));
  },
  // The object itself refuses at 900 MB: test/durable-objects. Here it is what the edge makes of it.
  storage_full: async () => {
    const { key } = await newTenant();
    const full = stub({ admit: async () => ({ kind: "storage_full" }) });
    return ask("POST", "/v1/verdicts", { key, body: HELLO, env: full });
  },
  settlement_unavailable: async () => {
    const { id, key } = await newTenant();
    const admit = (request: Parameters<ReturnType<typeof tenantObject>["admit"]>[0]) =>
      tenantObject(env, id).admit(request);
    const deaf = stub({ admit, settle: broken });
    const reply = await withoutWaiting(() =>
      ask("POST", "/v1/verdicts", { key, body: HELLO, env: deaf }),
    );
    // No verdict was stored; the hold is still there, and will be charged.
    const verdicts = await admin("GET", `/admin/tenants/${id}/verdicts`);
    expect(verdicts.body.data).toEqual([]);
    const limits = await admin("GET", `/admin/tenants/${id}/limits`);
    expect(limits.body.pending_micro_neurons).toBeGreaterThan(0);
    return reply;
  },
  internal: async () => {
    const { key } = await newTenant();
    const wrong = stub({ readLimits: async () => ({ kind: "limits" }) });
    return ask("GET", "/v1/limits", { key, env: wrong });
  },
};

const PRODUCED = Object.entries(PRODUCERS).flatMap(([kind, produce]) =>
  typeof produce === "string" ? [] : [{ kind: kind as FailureKind, produce }],
);

describe("every kind of failure", () => {
  afterEach(() => void vi.useRealTimers());

  it.each(PRODUCED)("$kind", async ({ kind, produce }) => {
    const reply = await produce();
    const failure = reply.body.error ?? reply.body;
    expect(failure.kind).toBe(kind);
    expect(reply.status).toBe(STATUS[kind]);
    expect(failure.request_id).toBe(reply.headers.get("x-request-id"));
    expect(reply.headers.get("cache-control")).toBe("no-store");
    // Whoever waits longer than a minute and a bucket must be told that a repeat is of no use.
    const wait = Number(reply.headers.get("Retry-After") ?? 0);
    if (wait > 61) expect(reply.headers.get("x-should-retry")).toBe("false");
  });
});

const throwing = (error: Error) =>
  stub(
    new Proxy(
      {},
      {
        // No promise is awaited of it, so it is no thenable either.
        get: (_, name) => (name === "then" ? undefined : () => Promise.reject(error)),
      },
    ),
  );

const BUG = () => Object.assign(new RangeError("cannot encode"), { remote: true });

describe("an exception of an object", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  const ROUTES = [
    ["GET", "/v1/verdicts", undefined],
    ["GET", "/v1/ledger", undefined],
    ["GET", "/v1/limits", undefined],
    ["POST", "/v1/keys", {}],
    ["POST", "/v1/verdicts/claim", {}],
    ["POST", "/v1/verdicts", HELLO],
    ["POST", "/v1/moderations", { input: "hello" }],
    ["POST", "/v1/chat/completions", { model: "x", messages: [{ role: "user", content: "x" }] }],
  ] as const;

  it.each(ROUTES)("is told as what it is, and logged once: %s %s", async (method, path, body) => {
    const { key } = await newTenant();
    const errors: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void errors.push(line));
    const reply = await withoutWaiting(() =>
      ask(method, path, { key, ...(body !== undefined && { body }), env: throwing(BUG()) }),
    );
    const failure = reply.body.error ?? reply.body;
    expect([reply.status, failure.kind]).toEqual([500, "internal"]);
    expect(reply.headers.get("x-should-retry")).toBe("false");
    const id = reply.headers.get("x-request-id") ?? "";
    const logged = errors.filter((line) => line.includes(id));
    expect(logged).toHaveLength(1);
    expect(JSON.parse(logged[0] ?? "{}")).toMatchObject({ request_id: id, error: "RangeError" });
    expect(logged[0]).not.toContain("cannot encode");
  });

  it.each(ROUTES)("may be asked again where the runtime says so: %s %s", async (...route) => {
    const [method, path, body] = route;
    const { key } = await newTenant();
    const overloaded = Object.assign(new Error("busy"), { overloaded: true, remote: true });
    for (const error of [lost(), overloaded]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await withoutWaiting(() =>
        ask(method, path, { key, ...(body !== undefined && { body }), env: throwing(error) }),
      );
      const failure = reply.body.error ?? reply.body;
      expect([reply.status, failure.kind]).toEqual([503, "unavailable"]);
    }
  });

  it("is not asked a second time when there is too much to do", async () => {
    const { key } = await newTenant();
    for (const [marks, asked] of [
      [{ retryable: true }, 2],
      [{ overloaded: true, retryable: true }, 1],
      [{}, 1],
    ] as const) {
      let times = 0;
      const readLimits = async () => {
        times += 1;
        throw Object.assign(new Error("x"), marks);
      };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await ask("GET", "/v1/limits", { key, env: stub({ readLimits }) });
      expect(times).toBe(asked);
    }
  });

  it("is one where a real object meets a bug", async () => {
    const tenant = await newTenant();
    await withAllTables(tenant.id);
    await rows(tenant.id, "DROP TABLE revisions");
    const { body } = await tenant.call(...POST);
    const bug = await tenant.call("GET", `/v1/verdicts/${body.id}/revisions`);
    expect([bug.status, bug.body.kind]).toEqual([500, "internal"]);
  });
});

describe("what a failure leaves behind", () => {
  afterEach(() => void vi.useRealTimers());

  it("gives a hold back when the answer to its admission was lost", async () => {
    const { id, key } = await newTenant();
    let admitted = 0;
    const lossy = stub({
      admit: async (request: Parameters<ReturnType<typeof tenantObject>["admit"]>[0]) => {
        await tenantObject(env, id).admit(request);
        admitted += 1;
        throw lost();
      },
      settle: (request: Parameters<ReturnType<typeof tenantObject>["settle"]>[0]) =>
        tenantObject(env, id).settle(request),
    });
    const reply = await withoutWaiting(() =>
      ask("POST", "/v1/verdicts", { key, body: HELLO, env: lossy }),
    );
    expect(reply.body.kind).toBe("unavailable");
    expect(admitted).toBe(4);
    const lines = await admin("GET", `/admin/tenants/${id}/ledger`);
    expect(lines.body.data).toMatchObject([{ outcome: "voided", micro_neurons: 0 }]);
    const limits = await admin("GET", `/admin/tenants/${id}/limits`);
    expect(limits.body).toMatchObject({ pending_micro_neurons: 0, posted_micro_neurons: 0 });
  });

  it("charges once and stores once when the answer to a settle was lost", async () => {
    const { id, key } = await newTenant();
    let tries = 0;
    const lossy = stub({
      admit: (request: Parameters<ReturnType<typeof tenantObject>["admit"]>[0]) =>
        tenantObject(env, id).admit(request),
      settle: async (request: Parameters<ReturnType<typeof tenantObject>["settle"]>[0]) => {
        const reply = await tenantObject(env, id).settle(request);
        tries += 1;
        if (tries === 1) throw lost();
        return reply;
      },
    });
    const reply = await withoutWaiting(() =>
      ask("POST", "/v1/verdicts", { key, body: HELLO, env: lossy }),
    );
    expect(reply.status).toBe(200);
    const lines = await admin("GET", `/admin/tenants/${id}/ledger`);
    expect(lines.body.data).toHaveLength(1);
    expect(lines.body.data[0].micro_neurons).toBe(reply.body.micro_neurons);
    const verdicts = await admin("GET", `/admin/tenants/${id}/verdicts`);
    expect(verdicts.body.data).toEqual([reply.body]);
  });

  it("leaves no idempotency record of a refusal", async () => {
    const tenant = await newTenant({ daily_neurons: 20 });
    await tenant.call(...POST);
    const key = { "Idempotency-Key": "again" };
    expect((await tenant.call(...POST, key)).status).toBe(429);
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { daily_neurons: 100 });
    const reply = await tenant.call(...POST, key);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("idempotency-replayed")).toBeNull();
  });
});
