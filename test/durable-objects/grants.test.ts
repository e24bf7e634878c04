import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MOST_GRANTS, type NewGrant } from "../../durable-objects/tenant/ledger/grants.ts";
import type { JournalLine } from "../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import { newId } from "../../src/http/ids.ts";
import {
  aTenant,
  type ATenant,
  broken,
  cleanUp,
  DAY_MS,
  expectKind,
  HOUR,
  idempotency,
  inTenant,
  itemsOf,
  MIDNIGHT,
  NOW,
  PICTURE,
  PLATFORM,
  pictures,
  rows,
  SECOND,
  stopClock,
  voidItemsOf,
} from "./a-tenant.ts";

// Grants in a tenant's object: what they admit, what is drawn on which, and that nothing is
// promised twice. One picture is held and charged alike.

beforeEach(() => stopClock());
afterEach(cleanUp);

const neurons = (count: number): number => (count * PICTURE) / 1e6;

const newGrant = (count: number, fields: Partial<NewGrant> = {}): NewGrant => ({
  route: "POST /admin/tenants/{tenant}/grants",
  id: newId("grt"),
  amount: microNeurons(count * PICTURE),
  reason: "launch week",
  expiresAtMs: NOW + 10 * DAY_MS,
  idempotency: null,
  ...fields,
});

async function grant(tenant: ATenant, count: number, fields: Partial<NewGrant> = {}) {
  const made = await tenant.stub().createGrant(PLATFORM, newGrant(count, fields));
  return expectKind(made, "grant").grant;
}

/** One picture, admitted and settled. */
async function post(tenant: ATenant, count = 1): Promise<JournalLine> {
  const hold = await tenant.hold({ contents: [pictures(count)] });
  return expectKind((await tenant.settle(hold)).settlement, "settled").line;
}

const drawnOn = async (tenant: ATenant, id: string): Promise<number> =>
  expectKind(await tenant.stub().readGrant(PLATFORM, id), "grant").grant.drawn / PICTURE;

const inPictures = ({ drawn, grants }: JournalLine) => ({
  quota: drawn.quota / PICTURE,
  granted: drawn.granted / PICTURE,
  overage: drawn.overage / PICTURE,
  grants: grants.map((draw) => [draw.grantId, draw.microNeurons / PICTURE]),
});

describe("a call on the free plan", () => {
  it("draws on the quota, then on the grant that ends first, then stops hard", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(1) });
    const late = await grant(tenant, 2);
    const soon = await grant(tenant, 1, { expiresAtMs: NOW + HOUR });
    expect((await tenant.limits()).neurons).toMatchObject({
      limit: 4 * PICTURE,
      available: 4 * PICTURE,
    });
    expect(inPictures(await post(tenant))).toMatchObject({ quota: 1, granted: 0, grants: [] });
    expect(inPictures(await post(tenant, 2))).toEqual({
      quota: 0,
      granted: 2,
      overage: 0,
      grants: [
        [soon.id, 1],
        [late.id, 1],
      ],
    });
    // What was drawn today stays in the limit of today.
    expect((await tenant.limits()).neurons).toMatchObject({
      limit: 4 * PICTURE,
      posted: 3 * PICTURE,
      available: PICTURE,
    });
    expect((await tenant.limits()).grants.map(({ id }) => id)).toEqual([late.id]);
    await post(tenant);
    expect(await tenant.admit()).toMatchObject({
      kind: "quota_exceeded",
      neurons: { limit: 4 * PICTURE, posted: 4 * PICTURE, available: 0 },
    });
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("finds the same grants and lines after an eviction", async () => {
    const tenant = await aTenant({ daily_neurons: 0 });
    const given = await grant(tenant, 3);
    const line = await post(tenant);
    const hold = await tenant.hold();
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect((await tenant.limits()).neurons).toMatchObject({
      limit: 3 * PICTURE,
      posted: PICTURE,
      pending: PICTURE,
      available: PICTURE,
    });
    expect((await tenant.lines())[0]).toEqual(line);
    expect(line.grants).toEqual([{ grantId: given.id, microNeurons: PICTURE }]);
    await tenant.settle(hold);
    expect(await drawnOn(tenant, given.id)).toBe(2);
  });

  it("consumes a grant across days, beside each day's quota", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(1) });
    const given = await grant(tenant, 3);
    await post(tenant, 2);
    vi.setSystemTime(MIDNIGHT + HOUR);
    expect((await tenant.limits()).neurons.limit).toBe(3 * PICTURE);
    expect(inPictures(await post(tenant, 2))).toMatchObject({ quota: 1, granted: 1 });
    vi.setSystemTime(MIDNIGHT + DAY_MS + HOUR);
    expect(await drawnOn(tenant, given.id)).toBe(2);
    await post(tenant, 2);
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
  });

  it("draws nothing where no engine ran", async () => {
    const tenant = await aTenant({ daily_neurons: 0 });
    const given = await grant(tenant, 1);
    const hold = await tenant.hold();
    await tenant.settle(hold, { items: voidItemsOf(hold), verdicts: [] });
    expect(await drawnOn(tenant, given.id)).toBe(0);
    expect((await tenant.admit()).kind).toBe("admitted");
  });
});

describe("a call on the paid plan", () => {
  it("draws on quota, grants and overage, and owes the last alone", async () => {
    const tenant = await aTenant({
      plan: "paid",
      daily_neurons: neurons(1),
      overage_cap_neurons: neurons(1),
    });
    const given = await grant(tenant, 1);
    expect(inPictures(await post(tenant, 3))).toEqual({
      quota: 1,
      granted: 1,
      overage: 1,
      grants: [[given.id, 1]],
    });
    expect(await tenant.admit()).toMatchObject({
      kind: "overage_cap_exceeded",
      neurons: { limit: 3 * PICTURE },
    });
  });

  it("keeps to its overage cap when calls of two days draw on one grant", async () => {
    const tenant = await aTenant({
      plan: "paid",
      daily_neurons: 0,
      overage_cap_neurons: neurons(1),
    });
    await grant(tenant, 1);
    vi.setSystemTime(MIDNIGHT - 10 * SECOND);
    const yesterday = await tenant.hold({ contents: [pictures(2)] });
    vi.setSystemTime(MIDNIGHT + SECOND);
    const today = await tenant.hold();
    expect((await tenant.admit()).kind).toBe("quota_reserved");
    // Today's call settles first: the grant is kept for yesterday's, which was promised it.
    const second = expectKind((await tenant.settle(today)).settlement, "settled").line;
    const first = expectKind((await tenant.settle(yesterday)).settlement, "settled").line;
    expect(inPictures(second)).toMatchObject({ granted: 0, overage: 1 });
    expect(inPictures(first)).toMatchObject({ granted: 1, overage: 1 });
  });
});

describe("a remainder", () => {
  it("is promised once to calls of one day, under any concurrency", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(2) });
    await grant(tenant, 3);
    const replies = await Promise.all(Array.from({ length: 12 }, () => tenant.admit()));
    const holds = replies.flatMap((reply) => (reply.kind === "admitted" ? [reply.hold] : []));
    expect(holds).toHaveLength(5);
    await Promise.all(holds.map((hold) => tenant.settle(hold)));
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
    const [grants] = await rows(tenant.id, "SELECT SUM(drawn) AS drawn FROM grants");
    expect(grants).toEqual({ drawn: 3 * PICTURE });
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("is promised once to calls of two days", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(1) });
    const given = await grant(tenant, 2);
    vi.setSystemTime(MIDNIGHT - 10 * SECOND);
    const late = await tenant.hold({ contents: [pictures(2)] });
    vi.setSystemTime(MIDNIGHT + SECOND);
    // One of the grant's two is yesterday's: today has its own quota and the other.
    expect((await tenant.limits()).neurons).toMatchObject({
      limit: 3 * PICTURE,
      pending: PICTURE,
      available: 2 * PICTURE,
    });
    const early = await tenant.hold({ contents: [pictures(2)] });
    expect((await tenant.admit()).kind).toBe("quota_reserved");
    await tenant.settle(early);
    await tenant.settle(late);
    expect(await drawnOn(tenant, given.id)).toBe(2);
    const days = await rows(tenant.id, "SELECT quota, granted, overage FROM periods ORDER BY day");
    expect(days).toEqual([
      { quota: PICTURE, granted: PICTURE, overage: 0 },
      { quota: PICTURE, granted: PICTURE, overage: 0 },
    ]);
  });

  it("comes free when a call of yesterday draws less than it held", async () => {
    const tenant = await aTenant({ daily_neurons: 0 });
    await grant(tenant, 1);
    vi.setSystemTime(MIDNIGHT - 10 * SECOND);
    const late = await tenant.hold();
    vi.setSystemTime(MIDNIGHT + SECOND);
    expect((await tenant.admit()).kind).toBe("quota_reserved");
    await tenant.settle(late, { items: itemsOf(late, 1) });
    const limits = await tenant.limits();
    expect(limits.neurons.available).toBe(PICTURE - 1);
  });
});

describe("what ends while a call is in progress", () => {
  it.each(["expires", "is ended"] as const)("serves it, and no later one: it %s", async (how) => {
    const tenant = await aTenant({ daily_neurons: 0 });
    const given = await grant(tenant, 2, { expiresAtMs: NOW + 5 * SECOND });
    const hold = await tenant.hold();
    if (how === "is ended") await tenant.stub().endGrant(PLATFORM, given.id);
    else vi.setSystemTime(NOW + 5 * SECOND);
    // What is held stands against a limit of nothing; no call could ever fit.
    expect((await tenant.admit()).kind).toBe("over_limit");
    expect((await tenant.limits()).grants).toEqual([]);
    // Another call comes and goes, so that the object's clock is stored, and is past the end.
    vi.setSystemTime(NOW + 6 * SECOND);
    await tenant.configure({ daily_neurons: neurons(2) });
    const other = await tenant.hold();
    await tenant.settle(other, { items: voidItemsOf(other), verdicts: [] });
    await tenant.configure({ daily_neurons: 0 });
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect((await tenant.admit()).kind).toBe("over_limit");
    const { settlement } = await tenant.settle(hold);
    expect(inPictures(expectKind(settlement, "settled").line)).toMatchObject({
      quota: 0,
      granted: 1,
    });
    expect(await drawnOn(tenant, given.id)).toBe(1);
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("includes what a free tenant's call used beyond a quota that was lowered", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(2) });
    await grant(tenant, 1);
    const hold = await tenant.hold({ contents: [pictures(3)] });
    await tenant.configure({ daily_neurons: 0 });
    expect((await tenant.admit()).kind).toBe("quota_reserved");
    const { settlement } = await tenant.settle(hold);
    expect(inPictures(expectKind(settlement, "settled").line)).toMatchObject({
      quota: 2,
      granted: 1,
      overage: 0,
    });
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
  });
});

describe("making and ending", () => {
  it("gives the stored grant to who repeats an idempotency key", async () => {
    const tenant = await aTenant();
    const first = await grant(tenant, 1, { idempotency: idempotency("k") });
    const again = await tenant
      .stub()
      .createGrant(PLATFORM, newGrant(1, { idempotency: idempotency("k") }));
    expect(expectKind(again, "grant")).toMatchObject({ grant: first, repeated: true });
    const other = await tenant
      .stub()
      .createGrant(PLATFORM, newGrant(9, { idempotency: idempotency("k", "other") }));
    expect(other.kind).toBe("idempotency_key_reused");
    // A message that is repeated names the same grant.
    const same = newGrant(1);
    await tenant.stub().createGrant(PLATFORM, same);
    expect(await tenant.stub().createGrant(PLATFORM, same)).toMatchObject({ repeated: false });
    expect(await rows(tenant.id, "SELECT COUNT(*) AS n FROM grants")).toEqual([{ n: 2 }]);
  });

  it("ends once, and never below what was drawn", async () => {
    const tenant = await aTenant({ daily_neurons: 0 });
    const given = await grant(tenant, 3);
    await post(tenant);
    const ended = await tenant.stub().endGrant(PLATFORM, given.id);
    expect(expectKind(ended, "grant").grant).toMatchObject({ drawn: PICTURE, endedAtMs: NOW });
    vi.setSystemTime(NOW + HOUR);
    const again = await tenant.stub().endGrant(PLATFORM, given.id);
    expect(expectKind(again, "grant").grant.endedAtMs).toBe(NOW);
    expect((await tenant.stub().endGrant(PLATFORM, "grt_none")).kind).toBe("not_found");
    expect((await tenant.stub().readGrant(PLATFORM, "grt_none")).kind).toBe("not_found");
  });

  it("has limits of its own", async () => {
    const tenant = await aTenant();
    const make = (fields: Partial<NewGrant>) =>
      tenant.stub().createGrant(PLATFORM, newGrant(1, fields));
    const most = microNeurons(1e15);
    expect((await make({ amount: most })).kind).toBe("grant");
    expect(await make({})).toMatchObject({
      kind: "over_limit",
      detail: "All grants of a tenant together have at most 1000000000 neurons left.",
    });
    for (const expiresAtMs of [NOW, NOW - 1, NOW + 4000 * DAY_MS]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await make({ expiresAtMs })).toMatchObject({
        kind: "invalid_request",
        errors: [{ path: ["expires_at"] }],
      });
    }
  });

  it("keeps a hundred open at most; ended ones are read by nobody", async () => {
    const tenant = await aTenant();
    let last = "";
    for (let made = 0; made < MOST_GRANTS; made += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      last = (await grant(tenant, 1)).id;
    }
    const more = await tenant.stub().createGrant(PLATFORM, newGrant(1));
    expect(more).toMatchObject({ kind: "over_limit" });
    await tenant.stub().endGrant(PLATFORM, last);
    await grant(tenant, 1);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    vi.setSystemTime(NOW + SECOND);
    expect((await tenant.limits()).grants).toHaveLength(MOST_GRANTS);
    const plan = await rows(
      tenant.id,
      "EXPLAIN QUERY PLAN SELECT * FROM grants WHERE ends_at_ms >= 1",
    );
    expect(JSON.stringify(plan)).toContain("grants_ends");
  });

  it("goes with the tenant", async () => {
    const tenant = await aTenant();
    const given = await grant(tenant, 1);
    await env.ACCOUNT.getByName("account").deleteTenant(tenant.id);
    await tenant.configure({ daily_neurons: 0 });
    expect((await tenant.stub().readGrant(PLATFORM, given.id)).kind).toBe("not_found");
    expect((await tenant.limits()).neurons.limit).toBe(0);
  });
});

const written = async (tenant: ATenant, act: () => Promise<unknown>): Promise<number> => {
  const count = () =>
    inTenant(tenant.id, ({ storage }) => {
      const own = storage as unknown as { written?: number };
      if (own.written === undefined) {
        own.written = 0;
        const { sql } = storage;
        const exec = sql.exec.bind(sql);
        sql.exec = ((...asked: Parameters<typeof exec>) => {
          const cursor = exec(...asked);
          const all = cursor.toArray();
          own.written = (own.written ?? 0) + cursor.rowsWritten;
          return { toArray: () => all };
        }) as unknown as typeof sql.exec;
      }
      return own.written;
    });
  const before = await count();
  await act();
  return (await count()) - before;
};

describe("rows written", () => {
  it("are none more for a call that draws on no grant, and one for each grant drawn", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(100) });
    await post(tenant);
    const plain = await written(tenant, () => post(tenant));
    await grant(tenant, 1, { expiresAtMs: NOW + HOUR });
    await grant(tenant, 20);
    expect(await written(tenant, () => post(tenant))).toBe(plain);
    await tenant.configure({ daily_neurons: 0 });
    // The whole of the first and a part of the second.
    expect(await written(tenant, () => post(tenant, 2))).toBe(plain + 2);
    expect(await written(tenant, () => post(tenant))).toBe(plain + 1);
  });
});
