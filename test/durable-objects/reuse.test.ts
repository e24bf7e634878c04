import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AdmitReply, ModerationAdmit } from "../../durable-objects/tenant/protocol.ts";
import { microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import { newId } from "../../src/http/ids.ts";
import {
  type ATenant,
  admitted,
  aTenant,
  aVerdict,
  broken,
  cleanUp,
  DAY_MS,
  expectKind,
  inTenant,
  NOW,
  pictures,
  PLATFORM,
  rows,
  stopClock,
  TEXT,
} from "./a-tenant.ts";

// Which verdict answers for equal contents, in the object that keeps them.

beforeEach(() => stopClock());
afterEach(cleanUp);

const DIGEST = "d".repeat(64);

const setTtl = async (tenant: ATenant, reuse_ttl_s: number) => {
  const policy = { ...defaultPolicy("workers-ai"), reuse_ttl_s };
  const put = { name: "default", policy, expected: null };
  expectKind(await tenant.stub().putPolicy(PLATFORM, put), "policy");
};

const reusing = async (): Promise<ATenant> => {
  const tenant = await aTenant();
  await setTtl(tenant, 3600);
  return tenant;
};

const ask = (tenant: ATenant, fields: Partial<ModerationAdmit> = {}): Promise<AdmitReply> =>
  tenant.admit({ contents: [TEXT], reuseKeys: [DIGEST], ...fields });

/** Judged at the bound, and stored as the router does. */
async function settleOf(tenant: ATenant, reply: AdmitReply, id = newId("vrd")): Promise<string> {
  const { hold, reuse, policy } = admitted(reply);
  const key = reuse?.[0]?.key ?? "";
  const version = policy?.version ?? 0;
  const verdict = aVerdict(hold, { id, policy: { name: "default", version }, reuse: { key } });
  await tenant.settle(hold, { verdicts: [verdict] });
  return id;
}

const sourceIn = (reply: AdmitReply): string | null =>
  admitted(reply).reuse?.[0]?.source?.id ?? null;

describe("an admission", () => {
  it("names the verdict that answers, and holds nothing", async () => {
    const tenant = await reusing();
    const id = await settleOf(tenant, await ask(tenant));
    const second = await ask(tenant);
    expect(sourceIn(second)).toBe(id);
    expect(admitted(second).hold).toMatchObject({ held: 0, stages: [] });
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("stores no digest, but what the tenant's secret makes of it", async () => {
    const tenant = await reusing();
    await settleOf(tenant, await ask(tenant));
    const [row] = await rows(tenant.id, "SELECT * FROM reusable_verdicts");
    expect(row).toMatchObject({ policy_name: "default", policy_version: 2 });
    expect(row?.["key"]).toMatch(/^[0-9a-f]{32}$/);
    expect(row?.["key"]).not.toContain("dddd");
    const other = await reusing();
    await settleOf(other, await ask(other));
    const [foreign] = await rows(other.id, "SELECT key FROM reusable_verdicts");
    expect(foreign?.["key"]).not.toBe(row?.["key"]);
  });

  it("holds for the contents alone that are not answered", async () => {
    const tenant = await reusing();
    const id = await settleOf(tenant, await ask(tenant));
    const contents = [TEXT, TEXT, pictures(1)];
    const reuseKeys = ["e".repeat(64), DIGEST, null];
    const reply = admitted(await ask(tenant, { contents, reuseKeys, verdictIds: ["a", "b", "c"] }));
    expect(reply.reuse?.map((terms) => terms?.source?.id ?? null)).toEqual([null, id, null]);
    expect(new Set(reply.hold.stages.map(({ content }) => content))).toEqual(new Set([0, 2]));
  });

  it("asks for both of two that are equal and go on at once", async () => {
    const tenant = await reusing();
    const [one, two] = await Promise.all([ask(tenant), ask(tenant)]);
    expect([sourceIn(one), sourceIn(two)]).toEqual([null, null]);
    await settleOf(tenant, one);
    const newest = await settleOf(tenant, two);
    expect(sourceIn(await ask(tenant))).toBe(newest);
    expect(await rows(tenant.id, "SELECT key FROM reusable_verdicts")).toHaveLength(1);
  });

  it("still knows after the object was evicted", async () => {
    const tenant = await reusing();
    const id = await settleOf(tenant, await ask(tenant));
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect(sourceIn(await ask(tenant))).toBe(id);
  });

  it("goes by a verdict that is there, and wholly judged", async () => {
    const tenant = await reusing();
    const id = await settleOf(tenant, await ask(tenant));
    await inTenant(tenant.id, ({ storage }) => storage.sql.exec("DELETE FROM verdicts"));
    expect(id).not.toBe("");
    expect(sourceIn(await ask(tenant))).toBeNull();
  });

  it("reads the same rows whatever is stored", async () => {
    const tenant = await reusing();
    await settleOf(tenant, await ask(tenant));
    const plan = await rows(
      tenant.id,
      `EXPLAIN QUERY PLAN SELECT v.* FROM reusable_verdicts AS r JOIN verdicts AS v
        ON v.id = r.verdict_id WHERE r.day IN (1, 2) AND r.policy_name = 'a'
        AND r.policy_version = 1 AND r.key = 'k'`,
    );
    const details = plan.map(({ detail }) => JSON.stringify(detail)).join("\n");
    expect(details).not.toContain("SCAN");
    expect(details).toContain("day=? AND policy_name=? AND policy_version=? AND key=?");
  });
});

describe("the same admission again", () => {
  it("has the same answer", async () => {
    const tenant = await reusing();
    const id = await settleOf(tenant, await ask(tenant));
    const callId = newId("jnl");
    const verdictIds = [newId("vrd")];
    const once = await ask(tenant, { callId, verdictIds });
    vi.setSystemTime(NOW + 1000);
    const again = await ask(tenant, { callId, verdictIds });
    expect(sourceIn(again)).toBe(id);
    expect(admitted(again).hold).toEqual(admitted(once).hold);
  });

  it("is judged where it was to be judged, also if there is a verdict since", async () => {
    const tenant = await reusing();
    const callId = newId("jnl");
    const once = await ask(tenant, { callId });
    await settleOf(tenant, await ask(tenant));
    const again = await ask(tenant, { callId });
    expect(sourceIn(again)).toBeNull();
    expect(admitted(again).hold).toEqual(admitted(once).hold);
    expect(admitted(again).reuse?.[0]?.key).toBe(admitted(once).reuse?.[0]?.key);
  });

  it.each<[string, (tenant: ATenant) => Promise<unknown>]>([
    [
      "its verdict is gone",
      (tenant) =>
        inTenant(tenant.id, ({ storage }) => storage.sql.exec("DELETE FROM reusable_verdicts")),
    ],
    ["its policy is another one", (tenant) => setTtl(tenant, 0)],
  ])("has none where %s: nothing is held to ask", async (_, change) => {
    const tenant = await reusing();
    await settleOf(tenant, await ask(tenant));
    const callId = newId("jnl");
    expect(sourceIn(await ask(tenant, { callId }))).not.toBeNull();
    await change(tenant);
    expect((await ask(tenant, { callId })).kind).toBe("unavailable");
  });
});

describe("what is kept", () => {
  it("is one row for each content and day, and none without a ttl or a cost", async () => {
    const tenant = await reusing();
    const free = admitted(await ask(tenant));
    const key = free.reuse?.[0]?.key ?? "";
    const policy = { name: "default", version: 2 };
    const unpaid = aVerdict(free.hold, { policy, reuse: { key }, microNeurons: microNeurons(0) });
    await tenant.settle(free.hold, { verdicts: [unpaid] });
    expect(await rows(tenant.id, "SELECT key FROM reusable_verdicts")).toEqual([]);
    await settleOf(tenant, await ask(tenant));
    expect(await rows(tenant.id, "SELECT key FROM reusable_verdicts")).toHaveLength(1);
  });

  it("goes after the day that follows its own, with the alarm", async () => {
    const tenant = await reusing();
    await settleOf(tenant, await ask(tenant));
    const left = async () => {
      await runDurableObjectAlarm(env.TENANT.getByName(tenant.id));
      return (await rows(tenant.id, "SELECT day FROM reusable_verdicts")).length;
    };
    vi.setSystemTime(NOW + DAY_MS);
    expect(await left()).toBe(1);
    vi.setSystemTime(NOW + 2 * DAY_MS);
    expect(await left()).toBe(0);
  });
});
