import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { wakeBatches } from "../../durable-objects/tenant/batches/batch-recovery.ts";
import type { Profile } from "../../durable-objects/tenant/profile-store.ts";
import { runStep } from "../../src/batches/run-step.ts";
import type { Batch, BatchParams } from "../../src/domain/moderation/batch.ts";
import { makeTenant } from "../client.ts";
import { aBatch, withoutSettlements } from "./a-batch.ts";
import { rows } from "./a-tenant.ts";

// What becomes of a batch whose run was killed: it is woken, whatever state its instance is in.

const PROFILE = { id: "acme", generation: 3 } as Profile;
const BATCH = { id: "bat_1" } as Batch;

/** A Workflow with one instance, or none, that notes what is done to it. */
function aWorkflow(statuses: readonly InstanceStatus["status"][]) {
  const done: unknown[] = [];
  const left = [...statuses];
  const act = (name: string) => () => Promise.resolve(void done.push(name));
  const instance = {
    status: () => Promise.resolve({ status: left.length > 1 ? left.shift() : left[0] }),
    pause: act("pause"),
    resume: act("resume"),
    restart: act("restart"),
  };
  const runs = {
    get: () => (left.length === 0 ? Promise.reject(new Error("none")) : Promise.resolve(instance)),
    create: (options: object) => Promise.resolve(void done.push(options)),
  } as unknown as Workflow<BatchParams>;
  return { runs, done };
}

describe("a batch that nothing is heard of", () => {
  it.each([
    ["goes on where it was", ["running", "running", "paused"], ["pause", "resume"]],
    ["goes on when an earlier try was cut short", ["paused"], ["resume"]],
    ["begins anew when its run has failed", ["errored"], ["restart"]],
    ["begins anew when its run has ended before it", ["complete"], ["restart"]],
    ["is left to wait for its turn", ["queued"], []],
  ] as const)("%s", async (_, statuses, expected) => {
    const { runs, done } = aWorkflow(statuses);
    await wakeBatches(runs, PROFILE, [BATCH]);
    expect(done).toEqual(expected);
  });

  it("is begun when its run was never made", async () => {
    const { runs, done } = aWorkflow([]);
    await wakeBatches(runs, PROFILE, [BATCH]);
    const params = { tenant: "acme", life: 3, batch: "bat_1" };
    expect(done).toEqual([{ id: "bat_1", params }]);
  });
});

/** Killed in the midst of the first step: its calls are held, and nobody knows of them. */
async function killed(name: string, items: number) {
  const tenant = await makeTenant(name, { daily_neurons: 10_000 });
  const batch = await aBatch(name, tenant, { items });
  await expect(async () => runStep(withoutSettlements(), batch.params, 0)).rejects.toThrow();
  return { tenant, ...batch };
}

describe("calls that were cut short", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("are found while they are held, and then have their verdicts", async () => {
    const { tenant, params, read } = await killed("held", 2);
    const held = await rows("held", "SELECT deadline_ms FROM journal WHERE outcome = 'pending'");
    expect(held).toHaveLength(2);
    const alarmMs = await runInDurableObject(env.TENANT.getByName("held"), (_, state) =>
      state.storage.getAlarm(),
    );
    expect(alarmMs).toBeLessThan(
      Math.min(...held.map((row) => Number(row["deadline_ms"]))) - 10_000,
    );
    expect(await runStep(env, params, 0)).toEqual({ kind: "next" });
    const body = await read();
    expect(body.counts).toMatchObject({ succeeded: 2, failed: 0 });
    const limits = (await tenant.call("GET", "/v1/limits")).body;
    expect(body.micro_neurons).toBe(limits.posted_micro_neurons);
  });

  it("are counted as what they were charged when they were found too late", async () => {
    const { tenant, params, read } = await killed("late", 2);
    vi.setSystemTime(Date.now() + 100_000);
    expect(await runStep(env, params, 0)).toEqual({ kind: "next" });
    const body = await read();
    expect(body.counts).toMatchObject({ succeeded: 0, failed_as: { expired: 2 } });
    const limits = (await tenant.call("GET", "/v1/limits")).body;
    expect(limits.posted_micro_neurons).toBeGreaterThan(0);
    expect(body.micro_neurons).toBe(limits.posted_micro_neurons);
  });
});
