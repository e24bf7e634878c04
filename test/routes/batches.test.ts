import { introspectWorkflow, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { BatchParams } from "../../src/domain/moderation/batch.ts";
import { itemIds } from "../../src/domain/runs/item-ids.ts";
import { runStep } from "../../src/batches/run-step.ts";
import {
  admin,
  ask,
  makeKey,
  makeTenant,
  type Reply,
  type TestTenant,
  WITHOUT_RUNS,
} from "../client.ts";
import { rows } from "../durable-objects/a-tenant.ts";
import { until } from "../until.ts";

// Batches over the real Workflow. Sleeps are skipped: what was waited for is asked again at once.

const KIND = "Nice to meet you all here today";
const RUDE = "You are a worthless stupid idiot";

let made = 0;
async function aTenant(settings: object = {}): Promise<{ name: string; tenant: TestTenant }> {
  const name = `batches-${(made += 1)}`;
  const rpm = { requests: 100_000, text_generation: 100_000 };
  return { name, tenant: await makeTenant(name, { daily_neurons: 100_000, rpm, ...settings }) };
}

const texts = (count: number, text = KIND): object[] =>
  Array.from({ length: count }, (_, at) => ({ text, content_id: `c_${at}` }));

const start = (tenant: TestTenant, items: object[], more: object = {}): Promise<Reply> =>
  tenant.call("POST", "/v1/verdicts/batches", { items, ...more });

/** A batch that nothing runs but the test. */
const unrun = (key: string, items: object[], headers: Record<string, string> = {}) =>
  ask("POST", "/v1/verdicts/batches", {
    key,
    headers,
    body: { items },
    env: WITHOUT_RUNS,
  });

const read = async (tenant: TestTenant, id: string) =>
  (await tenant.call("GET", `/v1/verdicts/batches/${id}`)).body;

async function inState(tenant: TestTenant, id: string, states: readonly string[]) {
  let batch = await read(tenant, id);
  await until(async () => {
    batch = await read(tenant, id);
    return states.includes(batch.state);
  });
  return batch;
}

/** The object, as it is for who dies before the report. */
const withoutReports = (name: string): object =>
  new Proxy(env.TENANT.getByName(name), {
    get: (stub, method) =>
      method === "reportStep"
        ? () => Promise.reject(new Error("killed"))
        : (Reflect.get(stub, method) as unknown),
  });

const journal = async (name: string) =>
  rows(name, "SELECT * FROM journal WHERE route = 'POST /v1/verdicts/batches' ORDER BY id");

const ids = (index: number) => itemIds("bat_01M7WM9VDG3WVTE8T1RYS3AM18", "01M7WM9VDG", index);

async function withoutSleeps(act: () => Promise<void>): Promise<void> {
  await using runs = await introspectWorkflow(env.BATCHES);
  await runs.modifyAll(async (run) => run.disableSleeps());
  await act();
}

describe("a batch", () => {
  it("makes a verdict of each item, charged once, and tells when it is done", async () => {
    const { name, tenant } = await aTenant();
    const hook = { url: "https://receiver.acme-shop.com/", events: ["batch.completed"] };
    await tenant.call("POST", "/v1/webhooks", hook);
    const items = [...texts(22), ...texts(3, RUDE)];
    const { status, body } = await start(tenant, items);
    expect(status).toBe(202);
    expect(body).toMatchObject({
      object: "batch",
      state: "running",
      counts: { items: 25, pending: 25 },
    });
    const batch = await inState(tenant, body.id, ["completed"]);
    expect(batch.counts).toEqual({
      items: 25,
      pending: 0,
      succeeded: 25,
      failed: 0,
      allow: 22,
      flag: 0,
      block: 3,
      failed_as: {},
    });
    const lines = await journal(name);
    expect(lines).toHaveLength(25);
    const charged = lines.reduce((sum, line) => sum + Number(line["quota"]), 0);
    expect(batch.micro_neurons).toBe(charged);
    const limits = (await tenant.call("GET", "/v1/limits")).body;
    expect(limits.posted_micro_neurons).toBe(charged);
    const verdicts = await tenant.call("GET", `/v1/verdicts?batch_id=${body.id}&limit=200`);
    expect(verdicts.body.data).toHaveLength(25);
    expect(
      new Set(verdicts.body.data.map((one: { content_id: string }) => one.content_id)).size,
    ).toBe(22);
    const events = await tenant.call("GET", "/v1/events");
    expect(events.body.data).toMatchObject([{ type: "verdict_batch.completed", data: batch }]);
    // Items lie in the bucket for as long as a request may still write them, and no longer.
    const stub = env.TENANT.getByName(name);
    await runDurableObjectAlarm(stub);
    expect((await env.IMAGES.list({ prefix: `${name}/` })).objects).toHaveLength(1);
    vi.setSystemTime(Date.now() + 181_000);
    await runDurableObjectAlarm(stub);
    vi.useRealTimers();
    expect((await env.IMAGES.list({ prefix: `${name}/` })).objects).toEqual([]);
  });

  it("has its steps read, as a list and as lines", async () => {
    const { tenant } = await aTenant();
    const { body } = await start(tenant, texts(25));
    await inState(tenant, body.id, ["completed"]);
    const path = `/v1/verdicts/batches/${body.id}/steps`;
    const page = await tenant.call("GET", `${path}?limit=2`);
    expect(page.body).toMatchObject({ has_more: true, next_cursor: "2" });
    expect(page.body.data[1]).toMatchObject({ step: 1, state: "done", attempts: 1, rounds: 1 });
    expect(page.body.data[1].items).toHaveLength(10);
    const rest = await tenant.call("GET", `${path}?limit=2&cursor=2`);
    expect(rest.body.data).toMatchObject([{ step: 2, items: expect.any(Array) }]);
    const lines = await tenant.call("GET", `${path}?limit=2`, undefined, {
      accept: "application/x-ndjson",
    });
    expect(lines.headers.get("content-type")).toBe("application/x-ndjson");
    const steps = String(lines.body)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(steps.map(({ step }) => step)).toEqual([0, 1, 2]);
  });

  it("is made once for an idempotency key", async () => {
    const { tenant } = await aTenant();
    const headers = { "Idempotency-Key": '"one"' };
    const send = (items: object[]) =>
      tenant.call("POST", "/v1/verdicts/batches", { items }, headers);
    const first = await send(texts(1));
    expect((await send(texts(1))).body.id).toBe(first.body.id);
    expect((await send(texts(2))).body.kind).toBe("idempotency_key_reused");
  });

  it("keeps its items when it is asked for again, after a bucket that failed", async () => {
    const { name, tenant } = await aTenant();
    const headers = { "Idempotency-Key": "again" };
    const IMAGES = {
      put: () => Promise.reject(new Error("no bucket")),
      head: (key: string) => env.IMAGES.head(key),
    };
    const asked = { key: tenant.key, body: { items: texts(3) }, headers };
    const first = await ask("POST", "/v1/verdicts/batches", { ...asked, env: { IMAGES } });
    expect([first.status, first.body.kind]).toEqual([503, "unavailable"]);
    const { status, body } = await unrun(tenant.key, texts(3), headers);
    expect(status).toBe(202);
    const params: BatchParams = { tenant: name, life: 1, batch: body.id };
    expect(await runStep(env, params, 0)).toEqual({ kind: "next" });
    // Once kept, they are not kept anew.
    expect((await ask("POST", "/v1/verdicts/batches", { ...asked, env: { IMAGES } })).status).toBe(
      202,
    );
    const list = await tenant.call("GET", "/v1/verdicts/batches");
    expect(list.body.data).toMatchObject([{ id: body.id, counts: { succeeded: 3 } }]);
  });

  it("is for its tenant", async () => {
    const { tenant } = await aTenant();
    const other = await aTenant();
    const { body } = await start(tenant, texts(1));
    const path = `/v1/verdicts/batches/${body.id}`;
    expect((await other.tenant.call("GET", path)).status).toBe(404);
    expect((await other.tenant.call("POST", `${path}/cancel`)).status).toBe(404);
    expect((await other.tenant.call("GET", "/v1/verdicts/batches")).body.data).toEqual([]);
  });
});

describe("a step that is run again", () => {
  it("charges once, also while it runs already", async () => {
    const { name, tenant } = await aTenant();
    const { body } = await start(tenant, texts(10));
    const params: BatchParams = { tenant: name, life: 1, batch: body.id };
    const repeats = await Promise.all([1, 2, 3].map(() => runStep(env, params, 0)));
    expect(repeats.map(({ kind }) => kind)).not.toContain("wait");
    const batch = await inState(tenant, body.id, ["completed"]);
    expect(batch.counts).toMatchObject({ succeeded: 10, failed: 0 });
    const lines = await journal(name);
    expect(lines).toHaveLength(10);
    expect(new Set(lines.map((line) => line["outcome"]))).toEqual(new Set(["posted"]));
  });

  it("asks again under the same ids when its report was lost", async () => {
    const { name, tenant } = await aTenant();
    const { body } = await unrun(tenant.key, texts(10));
    const params: BatchParams = { tenant: name, life: 1, batch: body.id };
    const killed = { ...env, TENANT: { getByName: withoutReports } } as unknown as Env;
    const lost = await runStep(killed, params, 0).catch((error: Error) => error.message);
    expect(lost).toBe("killed");
    const lines = await journal(name);
    expect(lines).toHaveLength(10);
    expect((await read(tenant, body.id)).counts.pending).toBe(10);
    expect(await runStep(env, params, 0)).toEqual({ kind: "next" });
    expect(await journal(name)).toEqual(lines);
    const batch = await read(tenant, body.id);
    expect(batch.counts).toMatchObject({ succeeded: 10, pending: 0 });
    const charged = lines.reduce((sum, line) => sum + Number(line["quota"]), 0);
    expect(batch.micro_neurons).toBe(charged);
    const steps = await tenant.call("GET", `/v1/verdicts/batches/${body.id}/steps`);
    expect(steps.body.data).toMatchObject([{ attempts: 2, rounds: 1, state: "done" }]);
  });

  it("has ids of its own", () => {
    expect(ids(0)).toEqual({
      callId: "jnl_01M7WM9VDGE8T1RYS3AM180000",
      requestId: expect.stringMatching(/^req_[0-9A-HJKMNP-TV-Z]{26}$/),
      verdictId: expect.stringMatching(/^vrd_[0-9A-HJKMNP-TV-Z]{26}$/),
    });
    expect(new Set(Array.from({ length: 1000 }, (_, at) => ids(at).callId)).size).toBe(1000);
    expect(ids(33).callId > ids(32).callId).toBe(true);
  });
});

describe("a quota", () => {
  it("stops a batch, and what is left is counted", async () => {
    const { tenant } = await aTenant({ daily_neurons: 100 });
    await withoutSleeps(async () => {
      const { body } = await start(tenant, texts(30));
      const batch = await inState(tenant, body.id, ["stopped"]);
      expect(batch.stopped_as).toBe("quota_exceeded");
      expect(batch.counts.succeeded).toBeGreaterThan(3);
      expect(batch.counts.pending).toBe(30 - batch.counts.succeeded);
      const limits = (await tenant.call("GET", "/v1/limits")).body;
      expect(batch.micro_neurons).toBe(limits.posted_micro_neurons);
    });
  });

  it("lets one wait for the next day that says so", async () => {
    const { tenant } = await aTenant({ daily_neurons: 100 });
    const { body } = await start(tenant, texts(30), { resume: "next_period" });
    const batch = await inState(tenant, body.id, ["waiting"]);
    const limits = (await tenant.call("GET", "/v1/limits")).body;
    expect(batch).toMatchObject({ resumes_at: limits.resets_at, stopped_as: null });
    await admin("PATCH", `/admin/tenants/${limits.tenant}`, { daily_neurons: 10_000 });
    await tenant.call("POST", `/v1/verdicts/batches/${body.id}/cancel`);
    expect((await read(tenant, body.id)).state).toBe("canceled");
  });
});

describe("a rate", () => {
  it("is shared: a batch takes half of it", async () => {
    const { name, tenant } = await aTenant({ rpm: { requests: 40 } });
    const { body } = await start(tenant, texts(40));
    await until(async () => (await journal(name)).length >= 20);
    await scheduler.wait(300);
    expect(await journal(name)).toHaveLength(20);
    // The other half is still there.
    const reply = await tenant.call("POST", "/v1/verdicts", { text: KIND });
    expect(reply.status).toBe(200);
    await tenant.call("POST", `/v1/verdicts/batches/${body.id}/cancel`);
  });

  it("that others have taken is waited for as it says", async () => {
    const { name, tenant } = await aTenant({ rpm: { requests: 4 } });
    for (let call = 0; call < 3; call += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await tenant.call("POST", "/v1/verdicts", { text: KIND });
    }
    const { body } = await start(tenant, texts(3));
    const params: BatchParams = { tenant: name, life: 1, batch: body.id };
    await until(async () => (await journal(name)).length >= 1);
    await scheduler.wait(100);
    const next = await runStep(env, params, 0);
    expect(next).toMatchObject({ kind: "wait", ms: expect.any(Number) });
    expect(next.kind === "wait" && next.ms).toBeGreaterThan(30_000);
    await tenant.call("POST", `/v1/verdicts/batches/${body.id}/cancel`);
  });
});

describe("a batch that ends early", () => {
  it("is canceled between its steps", async () => {
    const { name, tenant } = await aTenant({ rpm: { requests: 20 } });
    const { body } = await start(tenant, texts(30));
    await until(async () => (await journal(name)).length >= 10);
    const canceled = await tenant.call("POST", `/v1/verdicts/batches/${body.id}/cancel`);
    // By when the step that runs has ended.
    expect(canceled.body.state).toMatch(/^cancel(ing|ed)$/);
    const batch = await inState(tenant, body.id, ["canceled"]);
    expect(batch.counts).toMatchObject({ succeeded: 10, pending: 20 });
    expect(await journal(name)).toHaveLength(10);
  });

  it("stops with the key that made it", async () => {
    const { name, tenant } = await aTenant();
    const key = await makeKey(name, "call");
    const { body } = await unrun(key, texts(30));
    const params: BatchParams = { tenant: name, life: 1, batch: body.id };
    expect(await runStep(env, params, 0)).toEqual({ kind: "next" });
    const keys = (await tenant.call("GET", "/v1/keys")).body.data;
    const own = keys.find(({ role }: { role: string }) => role === "call");
    await tenant.call("DELETE", `/v1/keys/${own.id}`);
    expect(await runStep(env, params, 1)).toEqual({ kind: "over" });
    expect(await read(tenant, body.id)).toMatchObject({
      state: "stopped",
      stopped_as: "invalid_key",
      counts: { succeeded: 10, pending: 20 },
    });
    expect(await journal(name)).toHaveLength(10);
  });
});

describe("what cannot be", () => {
  it.each([
    [{ items: [] }, "#/items"],
    [{ items: texts(1001) }, "#/items"],
    [{ items: [{ text: KIND }, {}] }, "#/items/1"],
    [{ items: [{ text: KIND }, { text: 7 }] }, "#/items/1/text"],
    [
      { items: [{ text: KIND }, { images: [{ url: "http://a.acme-shop.com/" }] }] },
      "#/items/1/images/0/url",
    ],
    [{ items: [{ text: KIND }], resume: "later" }, "#/resume"],
  ])("%# names its place", async (body, pointer) => {
    const { tenant } = await aTenant();
    const reply = await tenant.call("POST", "/v1/verdicts/batches", body);
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0].pointer).toBe(pointer);
  });

  it("is a batch where there is no Workflow", async () => {
    const { tenant } = await aTenant();
    const reply = await ask("POST", "/v1/verdicts/batches", {
      key: tenant.key,
      body: { items: texts(1) },
      env: { BATCHES: undefined },
    });
    expect([reply.status, reply.body.kind]).toEqual([501, "engine_unsupported"]);
  });
});
