import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { lastIdBefore } from "../../durable-objects/id-range.ts";
import { MOST_LINES } from "../../durable-objects/tenant/ledger/line-walk.ts";
import { admin } from "../client.ts";
import {
  aTenant,
  type ATenant,
  broken,
  cleanUp,
  DAY,
  expectKind,
  MINUTE,
  NOW,
  PLATFORM,
  rows,
  SECOND,
  stopClock,
  withAllTables,
  withoutReports,
} from "./a-tenant.ts";

// The invariants of a busy tenant: a look reads a bounded number of lines and says how far it is.

beforeEach(() => stopClock());
afterEach(cleanUp);

const MANY = 2 * MOST_LINES + 100;

/** Lines of earlier calls of today, as many as a request does not look at, at 1 µN each. */
async function busy(count = MANY): Promise<ATenant> {
  const tenant = await aTenant();
  await withAllTables(tenant.id);
  const id = lastIdBefore("jnl", NOW - 3_600_000);
  await rows(
    tenant.id,
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
      INSERT INTO journal (id, day, outcome, request_id, route, admitted_at_ms, deadline_ms,
        settled_at_ms, held, quota, price_book, items)
      SELECT ? || printf('%016d', i), ${DAY}, 'posted', 'req_', 'POST /v1/verdicts', ${NOW},
        ${NOW}, ${NOW}, 1, 1, 'x', '[]' FROM n`,
    id,
  );
  await rows(
    tenant.id,
    `INSERT OR REPLACE INTO periods (day, quota, granted, overage, posted, totals)
      SELECT ${DAY}, ${count}, 0, 0, ${count}, '${JSON.stringify(TOTALS)}'`,
  );
  await evictDurableObject(env.TENANT.getByName(tenant.id));
  await withoutReports(tenant.id);
  return tenant;
}

const TOTALS = { calls: MANY, voided: 0, expired: 0, refused: {}, models: {}, overrun: 0 };

const look = async (tenant: ATenant) =>
  expectKind(await tenant.stub().countInvariants(PLATFORM), "invariants");

const checked = async (tenant: ATenant) => {
  const found = await look(tenant);
  const lines = found.counts.find(({ name }) => name === "lines_sum_to_posted");
  return { isComplete: found.isComplete, lines: lines?.checked, wrong: lines?.violations, found };
};

const ring = (tenant: ATenant) => runDurableObjectAlarm(env.TENANT.getByName(tenant.id));

describe("a look at the invariants", () => {
  it("reads a bounded number of lines, says so, and the next one goes on", async () => {
    const tenant = await busy();
    const first = await checked(tenant);
    expect(first).toMatchObject({ isComplete: false, lines: MOST_LINES, wrong: 0 });
    expect(first.found.checkedToMs).toBeLessThan(NOW);
    expect(await checked(tenant)).toMatchObject({ isComplete: false, lines: 2 * MOST_LINES });
    const last = await checked(tenant);
    expect(last).toMatchObject({ isComplete: true, lines: MANY, wrong: 0 });
    expect(last.found.checkedToMs).toBeNull();
    // So soon it is not done again; later it is.
    vi.setSystemTime(NOW + 30 * SECOND);
    expect(await checked(tenant)).toMatchObject({ isComplete: true, found: { countedAtMs: NOW } });
    vi.setSystemTime(NOW + 2 * MINUTE);
    expect(await checked(tenant)).toMatchObject({ isComplete: false, lines: MOST_LINES });
  });

  it("is gone on with by the alarm", async () => {
    const tenant = await busy();
    expect((await checked(tenant)).isComplete).toBe(false);
    expect(await ring(tenant)).toBe(true);
    expect(await ring(tenant)).toBe(true);
    expect(await checked(tenant)).toMatchObject({ isComplete: true, lines: MANY });
  });

  it("finds a line that was changed, wherever it lies, and keeps to it", async () => {
    for (const at of [3, MOST_LINES + 7, MANY - 1]) {
      // oxlint-disable-next-line no-await-in-loop -- one tenant after the other
      const tenant = await busy();
      // oxlint-disable-next-line no-await-in-loop -- as above
      await rows(
        tenant.id,
        `UPDATE journal SET quota = 0 WHERE id LIKE '%' || printf('%016d', ${at})`,
      );
      // oxlint-disable-next-line no-await-in-loop -- as above
      for (let n = 0; n < 2; n += 1) await checked(tenant);
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await checked(tenant)).toMatchObject({ isComplete: true, wrong: 1 });
      vi.setSystemTime(NOW + 2 * MINUTE);
      // Not looked at all yet, and it does not look sound.
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await checked(tenant)).toMatchObject({ isComplete: false, wrong: 1 });
      vi.setSystemTime(NOW);
    }
  });

  it("counts each line once, also those of calls that end, expire and begin meanwhile", async () => {
    const tenant = await busy();
    // Their ids were drawn before all others': the walk has passed them when they end.
    const before = lastIdBefore("jnl", NOW - 2 * 3_600_000);
    const early = await tenant.hold({ callId: `${before}${"1".repeat(16)}` });
    const dies = await tenant.hold({ callId: `${before}${"2".repeat(16)}` });
    expect((await checked(tenant)).isComplete).toBe(false);
    await tenant.settle(early);
    const late = await tenant.hold();
    await tenant.settle(late);
    expect((await checked(tenant)).isComplete).toBe(false);
    vi.setSystemTime(dies.deadlineMs);
    const after = await tenant.hold();
    const end = await checked(tenant);
    expect(end).toMatchObject({ isComplete: true, wrong: 0, lines: MANY + 3 });
    await tenant.settle(after);
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("begins anew when the object has", async () => {
    const tenant = await busy();
    await checked(tenant);
    await checked(tenant);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect(await checked(tenant)).toMatchObject({ isComplete: false, lines: MOST_LINES });
  });

  it("says on the wire that it is not complete, and neither sound nor broken", async () => {
    const tenant = await busy();
    const path = `/admin/tenants/${tenant.id}/invariants`;
    const first = await admin("GET", path);
    expect(first.body).toMatchObject({ complete: false, holds: null });
    expect(Date.parse(first.body.checked_to)).toBeLessThan(NOW);
    await admin("GET", path);
    const last = await admin("GET", path);
    expect(last.body).toMatchObject({ complete: true, holds: true, checked_to: null });
  });
});
