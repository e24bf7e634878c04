import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  aTenant,
  type ATenant,
  cleanUp,
  DAY,
  DAY_MS,
  DEADLINE,
  inTenant,
  MIDNIGHT,
  MINUTE,
  NOW,
  rows,
  SECOND,
  stopClock,
  withAllTables,
  withoutReports,
} from "./a-tenant.ts";
import { momentOf } from "../../durable-objects/tenant/feature.ts";
import { LEASE_MS } from "../../src/domain/account/lease.ts";

// The one alarm of a tenant: it expires, writes counts, purges in batches, and sets itself anew.

beforeEach(() => stopClock());
afterEach(cleanUp);

const ring = (tenant: ATenant): Promise<boolean> =>
  runDurableObjectAlarm(env.TENANT.getByName(tenant.id));

const armedFor = (tenant: ATenant): Promise<number | null> =>
  inTenant(tenant.id, ({ storage }) => storage.getAlarm());

const count = async (tenant: ATenant, table: string): Promise<number> =>
  Number((await rows(tenant.id, `SELECT COUNT(*) AS n FROM ${table}`))[0]?.["n"]);

const NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)";

/** Rows as they were made long ago, by the hundred. */
async function fill(tenant: ATenant, n: number, madeAtMs: number): Promise<void> {
  await withAllTables(tenant.id);
  await rows(
    tenant.id,
    `${NUMBERS} INSERT INTO verdicts (id, call_id, created_at_ms, decision, approved, policy_name,
      policy_version, review_state, body)
      SELECT 'vrd_' || ? || printf('%05d', i), 'jnl_', ?, 'allow', 1, 'default', 1, 'none', '{}'
      FROM n`,
    n,
    String(madeAtMs),
    madeAtMs,
  );
  await rows(
    tenant.id,
    `${NUMBERS} INSERT INTO idempotency
      SELECT ?, 'route', 'key' || i, 'a', 'jnl_', '[]', ? FROM n`,
    n,
    Math.floor(madeAtMs / DAY_MS),
    madeAtMs,
  );
  await rows(
    tenant.id,
    `${NUMBERS} INSERT INTO refusals SELECT ? + i, 'rate_limited', '', 1, '{}' FROM n`,
    n,
    Math.floor(madeAtMs / MINUTE),
  );
}

describe("the alarm", () => {
  it("is set for the earliest thing that is due", async () => {
    const tenant = await aTenant();
    expect(await armedFor(tenant)).toBeNull();
    const first = await tenant.hold();
    expect(await armedFor(tenant)).toBe(NOW + DEADLINE);
    vi.setSystemTime(NOW + SECOND);
    const second = await tenant.hold();
    expect(await armedFor(tenant)).toBe(NOW + DEADLINE);
    // A refusal waits to be written; it is due before the holds.
    await tenant.configure({ max_in_flight: 2 });
    await tenant.admit();
    await tenant.admit();
    expect(await armedFor(tenant)).toBe(NOW + 6 * SECOND);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    await withoutReports(tenant.id);

    vi.setSystemTime(NOW + 6 * SECOND);
    expect(await ring(tenant)).toBe(true);
    expect(await armedFor(tenant)).toBe(NOW + DEADLINE);
    await tenant.settle(first);
    // What settled is folded soon.
    expect(await armedFor(tenant)).toBe(NOW + 11 * SECOND);
    vi.setSystemTime(NOW + DEADLINE);
    expect(await ring(tenant)).toBe(true);
    expect(await armedFor(tenant)).toBe(second.deadlineMs);
    await tenant.settle(second);
    vi.setSystemTime(second.deadlineMs);
    expect(await ring(tenant)).toBe(true);
    // Nothing is open: what was leased and is not used is given back when its time is over.
    expect(await armedFor(tenant)).toBe(NOW + LEASE_MS);
    vi.setSystemTime(NOW + LEASE_MS);
    expect(await ring(tenant)).toBe(true);
    // The next is the refusals' purge, after thirty days, in the hour after a midnight.
    const next = (await armedFor(tenant)) ?? 0;
    expect(next).toBe(MIDNIGHT + 30 * DAY_MS + momentOf(tenant.id));
  });

  it("purges what is past its retention, 500 rows of each table at a time", async () => {
    const tenant = await aTenant({ verdict_retention_days: 2 });
    await fill(tenant, 1200, NOW - 40 * DAY_MS);
    await fill(tenant, 3, NOW);
    await withoutReports(tenant.id);
    await tenant.hold();
    const tables = ["verdicts", "idempotency", "refusals"];
    for (const left of [700, 200, 0]) {
      // oxlint-disable-next-line no-await-in-loop -- alarm after alarm
      expect(await ring(tenant)).toBe(true);
      // oxlint-disable-next-line no-await-in-loop -- alarm after alarm
      const counts = await Promise.all(tables.map((table) => count(tenant, table)));
      expect(counts).toEqual([left + 3, left + 3, left + 3]);
      // oxlint-disable-next-line no-await-in-loop -- alarm after alarm
      expect(await armedFor(tenant)).toBe(left > 0 ? NOW + 1 : NOW + DEADLINE);
    }
  });

  it("keeps what is exactly within its retention", async () => {
    const tenant = await aTenant({ verdict_retention_days: 1 });
    await fill(tenant, 2, NOW);
    await tenant.hold();
    vi.setSystemTime(NOW + DAY_MS);
    await ring(tenant);
    expect(await count(tenant, "verdicts")).toBe(2);
    expect(await count(tenant, "idempotency")).toBe(2);
    vi.setSystemTime(NOW + DAY_MS + 1);
    await ring(tenant);
    expect(await count(tenant, "verdicts")).toBe(0);
    vi.setSystemTime((DAY + 2) * DAY_MS);
    await ring(tenant);
    expect(await count(tenant, "idempotency")).toBe(0);
    expect(await count(tenant, "refusals")).toBe(2);
  });

  it("that throws is set again, and leaves no half of a step", async () => {
    const tenant = await aTenant();
    await tenant.hold();
    await rows(tenant.id, "ALTER TABLE verdicts RENAME TO elsewhere");
    vi.setSystemTime(NOW + DEADLINE);
    expect(await ring(tenant)).toBe(true);
    expect(await armedFor(tenant)).toBe(NOW + DEADLINE + 30 * SECOND);
    expect(await count(tenant, "journal WHERE outcome = 'pending'")).toBe(1);

    await rows(tenant.id, "ALTER TABLE elsewhere RENAME TO verdicts");
    vi.setSystemTime(NOW + DEADLINE + 30 * SECOND);
    expect(await ring(tenant)).toBe(true);
    expect(await count(tenant, "journal WHERE outcome = 'expired'")).toBe(1);
  });

  it("that was lost is set again by the next call", async () => {
    const tenant = await aTenant();
    await tenant.hold();
    await inTenant(tenant.id, ({ storage }) => storage.deleteAlarm());
    vi.setSystemTime(NOW + DEADLINE + MINUTE + 1);
    await tenant.hold();
    // For the other one, which it found to have ended.
    expect(await armedFor(tenant)).toBe(Date.now() + 5 * SECOND);
  });
});
