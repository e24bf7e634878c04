import { env, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { NewWebhook } from "../../durable-objects/outbox/webhooks.ts";
import type { Policy } from "../../src/domain/moderation/policy.ts";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import { TEXT_MODEL } from "../../src/domain/moderation/text-model.ts";
import type { DecidedSample, Verdict } from "../../src/domain/moderation/verdict.ts";
import { newId } from "../../src/http/ids.ts";
import {
  type ATenant,
  admitted,
  aTenant,
  aVerdict,
  cleanUp,
  DAY_MS,
  expectKind,
  NOW,
  PLATFORM,
  rows,
  stopClock,
  TEXT,
} from "./a-tenant.ts";

// What the sample of a tenant's texts shows of its thresholds, in the object that keeps it.

beforeEach(() => stopClock());
afterEach(cleanUp);

const TIER0 = {
  model: TEXT_MODEL,
  max_miss_rate: 0.02,
  thresholds: { any: { allow_below: 0.2, block_above: 0.9 } },
};

async function put(tenant: ATenant, tier0: Policy["tier0"]): Promise<number> {
  const policy = { ...defaultPolicy("workers-ai"), ...(tier0 !== undefined && { tier0 }) };
  const reply = await tenant
    .stub()
    .putPolicy(PLATFORM, { name: "default", policy, expected: null });
  if (reply.kind !== "policy") throw new Error(reply.kind);
  return reply.policy.version;
}

const calibrated = async (): Promise<{ tenant: ATenant; version: number }> => {
  const tenant = await aTenant();
  const webhook: NewWebhook = {
    id: newId("whk"),
    secret: `whsec_${btoa("0".repeat(32))}`,
    url: "https://hooks.acme.dev/",
    description: null,
    events: ["policy.drift"],
    ordered: false,
    decisions: null,
    enabled: false,
  };
  const request = { route: "POST /v1/webhooks", webhook, idempotency: null };
  expectKind(await tenant.stub().createWebhook(PLATFORM, request), "webhook");
  return { tenant, version: await put(tenant, TIER0) };
};

const MISSED: DecidedSample = { decided: "allow", harmful: ["hate"] };
const CAUGHT: DecidedSample = { decided: null, harmful: ["hate"] };

/** So many verdicts of the sample. */
async function store(
  tenant: ATenant,
  version: number,
  {
    sample,
    times,
    fields = {},
  }: { sample: DecidedSample; times: number; fields?: Partial<Verdict> },
): Promise<void> {
  for (let at = 0; at < times; at += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one call after the other
    const { hold } = admitted(await tenant.admit({ contents: [TEXT] }));
    const base = aVerdict(hold, { policy: { name: "default", version }, ...fields });
    const stages = base.stages.map((stage) =>
      stage.name === "judge" ? { ...stage, sample } : stage,
    );
    // oxlint-disable-next-line no-await-in-loop
    await tenant.settle(hold, { verdicts: [{ ...base, stages }] });
  }
}

const events = async (tenant: ATenant) =>
  (await rows(tenant.id, "SELECT type, data FROM events ORDER BY id")).map(({ type, data }) => ({
    type,
    data: JSON.parse(data as string) as Record<string, unknown>,
  }));

describe("drift", () => {
  it("is an event where the sample disproves what the calibration promised", async () => {
    const { tenant, version } = await calibrated();
    await store(tenant, version, { sample: CAUGHT, times: 18 });
    await store(tenant, version, { sample: MISSED, times: 2 });
    expect(await events(tenant)).toEqual([]);
    await store(tenant, version, { sample: MISSED, times: 1 });
    const about = { object: "policy_drift", policy: "default", model: TEXT_MODEL, kind: "missed" };
    const counted = { examples: 21, wrong: 3, confidence: 0.99, max_miss_rate: 0.02 };
    expect(await events(tenant)).toEqual([
      {
        type: "policy.drift",
        data: expect.objectContaining({ ...about, ...counted, category: "hate" }),
      },
      {
        type: "policy.drift",
        data: expect.objectContaining({ ...about, ...counted, category: "any" }),
      },
    ]);
    const [first] = await events(tenant);
    expect(first?.data["at_least"]).toBeGreaterThan(0.02);
  });

  it("is told once a day of a category", async () => {
    const { tenant, version } = await calibrated();
    await store(tenant, version, { sample: MISSED, times: 25 });
    expect(await events(tenant)).toHaveLength(2);
    vi.setSystemTime(NOW + DAY_MS);
    await store(tenant, version, { sample: MISSED, times: 2 });
    expect(await events(tenant)).toHaveLength(4);
  });

  it("begins anew with other thresholds, and is of no policy without a promise", async () => {
    const { tenant, version } = await calibrated();
    await store(tenant, version, { sample: MISSED, times: 19 });
    const other = await put(tenant, {
      ...TIER0,
      thresholds: { any: { allow_below: 0.1, block_above: null } },
    });
    await store(tenant, other, { sample: MISSED, times: 19 });
    expect(await events(tenant)).toEqual([]);
    const { max_miss_rate: _, ...silent } = TIER0;
    await store(tenant, await put(tenant, silent), { sample: MISSED, times: 25 });
    expect(await events(tenant)).toEqual([]);
  });

  it("takes a row a day, and none of what is no sample, a test, or reused", async () => {
    const { tenant, version } = await calibrated();
    const tables = "SELECT name FROM sqlite_master WHERE name = 'cascade_drift'";
    await tenant.settle(await tenant.hold());
    await store(tenant, version, { sample: MISSED, times: 1, fields: { test: true } });
    const reuse = { key: "k", from: { verdictId: "vrd_0", microNeurons: 1 } };
    await store(tenant, version, { sample: MISSED, times: 1, fields: { reuse } });
    expect(await rows(tenant.id, tables)).toEqual([]);
    await store(tenant, version, { sample: CAUGHT, times: 3 });
    expect(await rows(tenant.id, "SELECT policy_name FROM cascade_drift")).toHaveLength(1);
  });

  it("is forgotten after a month", async () => {
    const { tenant, version } = await calibrated();
    await store(tenant, version, { sample: MISSED, times: 1 });
    const count = async () => (await rows(tenant.id, "SELECT day FROM cascade_drift")).length;
    vi.setSystemTime(NOW + 28 * DAY_MS);
    await runDurableObjectAlarm(env.TENANT.getByName(tenant.id));
    expect(await count()).toBe(1);
    vi.setSystemTime(NOW + 31 * DAY_MS);
    await runDurableObjectAlarm(env.TENANT.getByName(tenant.id));
    expect(await count()).toBe(0);
  });
});
