import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Next } from "../../durable-objects/tenant/batches/batches.ts";
import { runStep } from "../../src/batches/run-step.ts";
import { batchItemsKey } from "../../src/domain/generation/stored-picture.ts";
import { MAX_OPEN_BATCHES, type BatchParams } from "../../src/domain/moderation/batch.ts";
import { startOf } from "../../src/domain/ledger/period.ts";
import { ask, makeTenant } from "../client.ts";
import { aBatch, KIND, withoutSettlements } from "./a-batch.ts";
import { rows, workOf } from "./a-tenant.ts";

// How a batch begins, waits and ends, run step by step.

afterEach(() => {
  vi.useRealTimers();
});

const DAY_MS = 86_400_000;
const subscribed = { url: "https://receiver.acme-shop.com/", events: ["batch.completed"] };

/** Of the first step, round after round, while only its own holds stand in the way. */
async function untilDone(params: BatchParams): Promise<Next> {
  let next: Next = { kind: "wait", ms: 0 };
  for (let round = 0; round < 20 && next.kind === "wait" && next.ms <= 1000; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one round after the other
    next = await runStep(env, params, 0);
  }
  return next;
}

describe("a batch that is canceled while a step runs", () => {
  it("ends with that step, and is told of as it then is", async () => {
    const tenant = await makeTenant("cut", { daily_neurons: 10_000 });
    await tenant.call("POST", "/v1/webhooks", subscribed);
    const batch = await aBatch("cut", tenant, { items: 30 });
    await expect(async () => runStep(withoutSettlements(), batch.params, 0)).rejects.toThrow();
    const { body } = await tenant.call("POST", `${batch.path}/cancel`);
    expect(body).toMatchObject({ state: "canceling", finished_at: null });
    expect((await tenant.call("GET", "/v1/events")).body.data).toEqual([]);

    expect(await runStep(env, batch.params, 0)).toEqual({ kind: "over" });
    const ended = await batch.read();
    expect(ended).toMatchObject({ state: "canceled", counts: { succeeded: 10, pending: 20 } });
    const limits = (await tenant.call("GET", "/v1/limits")).body;
    expect(ended.micro_neurons).toBe(limits.posted_micro_neurons);
    const events = (await tenant.call("GET", "/v1/events")).body.data;
    expect(events).toMatchObject([{ type: "verdict_batch.completed", data: ended }]);
    expect(await runStep(env, batch.params, 1)).toEqual({ kind: "over" });
    expect(await rows("cut", "SELECT id FROM journal")).toHaveLength(10);
    expect(await workOf("cut")).toEqual({
      batches: 1,
      batch_steps: 1,
      batch_ms: Date.parse(ended.finished_at) - Date.parse(ended.created_at),
      batch_micro_neurons: ended.micro_neurons,
    });
  });

  it("ends at once where none does", async () => {
    const tenant = await makeTenant("idle", { daily_neurons: 10_000 });
    const batch = await aBatch("idle", tenant, { items: 30 });
    expect(await runStep(env, batch.params, 0)).toEqual({ kind: "next" });
    const { body } = await tenant.call("POST", `${batch.path}/cancel`);
    expect(body).toMatchObject({ state: "canceled", counts: { succeeded: 10, pending: 20 } });
    const again = await tenant.call("POST", `${batch.path}/cancel`);
    expect(again.body).toEqual(body);
  });
});

describe("a batch whose day's neurons are spent", () => {
  it("goes on at 00:00 UTC when it says so, and makes the rest", async () => {
    const tenant = await makeTenant("resumes", { daily_neurons: 50 });
    const noonMs = startOf(Math.floor(Date.now() / DAY_MS) + 1) + DAY_MS / 2;
    vi.setSystemTime(noonMs);
    const batch = await aBatch("resumes", tenant, { items: 15, resume: "next_period" });
    expect(await untilDone(batch.params)).toEqual({ kind: "wait", ms: DAY_MS / 2 });
    const waiting = await batch.read();
    expect(waiting).toMatchObject({ state: "waiting", stopped_as: null });
    expect(Date.parse(waiting.resumes_at)).toBe(noonMs + DAY_MS / 2);
    const { succeeded } = waiting.counts;
    expect(succeeded).toBeLessThan(10);
    // Not a moment earlier.
    vi.setSystemTime(noonMs + DAY_MS / 2 - 1);
    expect(await runStep(env, batch.params, 0)).toEqual({ kind: "wait", ms: 1 });
    expect((await batch.read()).counts.succeeded).toBe(succeeded);

    vi.setSystemTime(noonMs + DAY_MS / 2);
    await untilDone(batch.params);
    const going = await batch.read();
    expect(going.counts.succeeded).toBeGreaterThan(succeeded);
    const lines = await rows("resumes", "SELECT id, day, quota FROM journal");
    expect(new Set(lines.map(({ day }) => day)).size).toBe(2);
    expect(going.micro_neurons).toBe(lines.reduce((sum, { quota }) => sum + Number(quota), 0));
  });
});

describe("a batch that begins", () => {
  it("is one of twenty at most", async () => {
    const tenant = await makeTenant("many", { daily_neurons: 10_000 });
    const batches = await Promise.all(
      Array.from({ length: MAX_OPEN_BATCHES }, () => aBatch("many", tenant, { items: 1 })),
    );
    const body = { items: [{ text: KIND }] };
    const refused = await tenant.call("POST", "/v1/verdicts/batches", body);
    expect([refused.status, refused.body.kind]).toEqual([400, "over_limit"]);
    await tenant.call("POST", `${batches[0]?.path}/cancel`);
    // One that nothing runs, too: a run would go on after this file.
    const next = await aBatch("many", tenant, { items: 1 });
    expect(await next.read()).toMatchObject({ state: "running" });
  });

  it("has its items there when its request is repeated, wherever the first one died", async () => {
    const tenant = await makeTenant("repeated", { daily_neurons: 10_000 });
    const created: unknown[] = [];
    const send = (bucket: object) =>
      ask("POST", "/v1/verdicts/batches", {
        key: tenant.key,
        headers: { "Idempotency-Key": '"one"' },
        body: { items: [{ text: KIND }] },
        env: {
          IMAGES: bucket,
          BATCHES: { create: (of: object) => Promise.resolve(void created.push(of)) },
        },
      });
    const dead = { put: () => Promise.reject(new Error("no answer")) };
    expect((await send(dead)).status).toBe(503);
    expect(created).toEqual([]);
    const { status, body } = await send(env.IMAGES);
    expect([status, body.state]).toEqual([202, "running"]);
    expect(created).toMatchObject([{ id: body.id }]);
    const owner = { tenant: "repeated", generation: 1 };
    expect(await env.IMAGES.head(batchItemsKey(owner, body.id))).not.toBeNull();
    const params = { tenant: owner.tenant, life: owner.generation, batch: body.id };
    expect(await runStep(env, params, 0)).toEqual({ kind: "next" });
  });

  it("stops where its items are gone", async () => {
    const tenant = await makeTenant("empty", { daily_neurons: 10_000 });
    const batch = await aBatch("empty", tenant, { items: 5 });
    await env.IMAGES.delete(batchItemsKey({ tenant: "empty", generation: 1 }, batch.params.batch));
    expect(await runStep(env, batch.params, 0)).toEqual({ kind: "over" });
    const stopped = await batch.read();
    expect(stopped).toMatchObject({ state: "stopped", stopped_as: "items_missing" });
    expect(stopped.counts).toMatchObject({ pending: 5 });
  });
});

describe("who may no longer ask", () => {
  it.each([
    ["suspended", "tenant_suspended"],
    ["deleted", null],
  ])("has no batch run: a tenant that is %s", async (how, as) => {
    const name = `former-${how}`;
    const tenant = await makeTenant(name, { daily_neurons: 10_000 });
    const batch = await aBatch(name, tenant, { items: 15 });
    expect(await runStep(env, batch.params, 0)).toEqual({ kind: "next" });
    const path = `/admin/tenants/${name}`;
    const act =
      as === null
        ? await ask("DELETE", path, { key: env.ADMIN_TOKEN })
        : await ask("PATCH", path, { key: env.ADMIN_TOKEN, body: { suspended: true } });
    expect(act.status).toBeLessThan(300);
    expect(await runStep(env, batch.params, 1)).toEqual({ kind: "over" });
    if (as === null) return;
    const found = await ask("GET", `${path}${batch.path.replace("/v1", "")}`, {
      key: env.ADMIN_TOKEN,
    });
    expect(found.body).toMatchObject({ state: "stopped", stopped_as: as });
    expect(found.body.counts).toMatchObject({ succeeded: 10, pending: 5 });
  });
});
