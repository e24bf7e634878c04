import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Erasure } from "../../src/domain/tenant/erasure.ts";
import { newId } from "../../src/http/ids.ts";
import {
  type ATenant,
  aTenant,
  aVerdict,
  broken,
  cleanUp,
  DEADLINE,
  MINUTE,
  expectKind,
  inTenant,
  NOW,
  PLATFORM,
  rows,
  SECOND,
  stopClock,
  withoutReports,
} from "./a-tenant.ts";

// Erasures from within: bounded steps, crashes between them, and calls that are still in progress.

beforeEach(() => stopClock());
afterEach(cleanUp);

const PERSON = "u_gone";
const STAYS = "u_stays";

const ring = (tenant: ATenant) => runDurableObjectAlarm(env.TENANT.getByName(tenant.id));

const erase = async (tenant: ATenant): Promise<Erasure> =>
  expectKind(
    await tenant.stub().startErasure(PLATFORM, { id: newId("era"), userId: PERSON }),
    "erasure",
  ).erasure;

const stateOf = async (tenant: ATenant, { id }: Erasure): Promise<Erasure> =>
  expectKind(await tenant.stub().readErasure(PLATFORM, id), "erasure").erasure;

const count = async (tenant: ATenant, table: string, where = "1"): Promise<number> =>
  Number((await rows(tenant.id, `SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`))[0]?.["n"]);

const NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)";

/** Lines, verdicts, events, deliveries and kept names by the thousand, each third one the person's. */
async function fill(tenant: ATenant, many: number): Promise<void> {
  const person = `CASE WHEN i % 3 = 0 THEN '${PERSON}' ELSE '${STAYS}' END`;
  const made = async (statement: string) => rows(tenant.id, `${NUMBERS} ${statement} FROM n`, many);
  await made(`INSERT INTO journal (id, day, outcome, request_id, route, user_id, admitted_at_ms,
    deadline_ms, settled_at_ms, held, quota, price_book, items)
    SELECT printf('jnl_0%06d', i), 0, 'posted', 'r', 'POST /v1/verdicts', ${person}, 0, 0, 0, i, i,
      'b', '[]'`);
  await made(`INSERT INTO verdicts (id, call_id, created_at_ms, decision, approved, policy_name,
    policy_version, user_id, review_state, body)
    SELECT printf('vrd_0%06d', i), printf('jnl_0%06d', i), ${NOW}, 'allow', 1, 'default', 1, ${person},
      'none', '{"stages":[],"coverage":""}'`);
  await made(`INSERT INTO events (id, type, created_at_ms, subject)
    SELECT printf('evt_%025d0', i), 'moderation.verdict', ${NOW}, printf('vrd_0%06d', i)`);
  await made(`INSERT INTO deliveries (webhook_id, id, state, attempts)
    SELECT 'whk_' || (i % 2), printf('dlv_%025d1', i), 'failed', '[]'`);
  await made(`INSERT INTO idempotency (day, route, key, fingerprint, subject, verdict_ids,
    created_at_ms) SELECT ${Math.floor(NOW / 86_400_000)}, 'POST /v1/verdicts', printf('%06d', i), 'f',
      printf('jnl_0%06d', i), '[]', ${NOW}`);
}

/** Deliveries of endpoints that are not there go by themselves. */
const TABLES = ["events", "verdicts", "idempotency"] as const;

describe("a large erasure", () => {
  const MANY = 6000;

  it("goes on in bounded steps, over a crash after each of them, and keeps every sum", async () => {
    const tenant = await aTenant();
    await fill(tenant, MANY);
    const sum = () => rows(tenant.id, "SELECT SUM(quota) AS n, COUNT(*) AS lines FROM journal");
    const before = await sum();
    const erasure = await erase(tenant);
    expect(erasure.finishedAtMs).toBeNull();
    let alarms = 0;
    while ((await stateOf(tenant, erasure)).finishedAtMs === null) {
      // oxlint-disable-next-line no-await-in-loop -- step after step
      await evictDurableObject(env.TENANT.getByName(tenant.id));
      // oxlint-disable-next-line no-await-in-loop
      await withoutReports(tenant.id);
      // oxlint-disable-next-line no-await-in-loop
      expect(await ring(tenant)).toBe(true);
      alarms += 1;
      expect(alarms).toBeLessThan(50);
    }
    // Some thirty pages of a thousand rows, eight of them in a step.
    expect(alarms).toBeGreaterThan(2);
    const gone = MANY / 3;
    expect((await stateOf(tenant, erasure)).counts).toEqual({
      deliveries: gone,
      events: gone,
      verdicts: gone,
      idempotency_keys: gone,
      journal_lines: gone,
      user_days: 1,
    });
    for (const table of TABLES) {
      // oxlint-disable-next-line no-await-in-loop -- table after table
      expect([table, await count(tenant, table)]).toEqual([table, MANY - gone]);
    }
    expect(await count(tenant, "journal", `user_id = '${PERSON}'`)).toBe(0);
    expect(await count(tenant, "journal", `user_id = '${STAYS}'`)).toBe(MANY - gone);
    expect(await count(tenant, "report_rows", `body LIKE '%${PERSON}%'`)).toBe(0);
    expect(await sum()).toEqual(before);
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("is told of page by page by an export, each record once", async () => {
    const tenant = await aTenant();
    await fill(tenant, MANY);
    const seen = new Map<string, number>();
    let place: Parameters<ReturnType<ATenant["stub"]>["findPersonal"]>[1]["place"] = null;
    do {
      const asked = { userId: PERSON, place, requestId: "req_1" };
      // oxlint-disable-next-line no-await-in-loop -- page after page
      const found = await tenant.stub().findPersonal(PLATFORM, asked);
      const page = expectKind(found, "personal_page");
      expect(page.records.length).toBeLessThanOrEqual(200);
      for (const { kind } of page.records) seen.set(kind, (seen.get(kind) ?? 0) + 1);
      place = page.next;
    } while (place !== null);
    const all = MANY / 3;
    expect(Object.fromEntries(seen)).toEqual({
      delivery: all,
      event: all,
      verdict: all,
      idempotency_key: all,
      journal_line: all,
    });
  });
});

describe("calls that are in progress", () => {
  const idempotency = { key: "k", fingerprint: "f" };
  const hold = (tenant: ATenant) => tenant.hold({ userId: PERSON, idempotency });
  const LAST_LOOK = DEADLINE + 90 * SECOND;

  it("are waited for: what they leave goes too", async () => {
    const tenant = await aTenant();
    const open = await hold(tenant);
    const erasure = await erase(tenant);
    expect(erasure).toMatchObject({ place: null, againAtMs: NOW + LAST_LOOK, finishedAtMs: null });
    const verdict = aVerdict(open, { userId: PERSON });
    await tenant.settle(open, { verdicts: [verdict] });
    expect(await count(tenant, "verdicts")).toBe(1);
    const before = await tenant.lines();

    vi.setSystemTime(NOW + LAST_LOOK);
    await ring(tenant);
    expect(await stateOf(tenant, erasure)).toMatchObject({
      userId: null,
      counts: { verdicts: 1, journal_lines: 1, idempotency_keys: 1 },
      finishedAtMs: NOW + LAST_LOOK,
    });
    expect([await count(tenant, "verdicts"), await count(tenant, "idempotency")]).toEqual([0, 0]);
    expect(await tenant.lines()).toEqual(before.map((line) => ({ ...line, userId: null })));
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("of a batch, and its file, are waited for", async () => {
    const tenant = await aTenant();
    const batch = {
      id: "bat_1",
      requestId: "req_1",
      items: 1,
      ends: [2],
      context: null,
      resume: false,
    };
    await tenant.stub().createBatch(PLATFORM, {
      ...batch,
      secretHash: null,
      route: "POST /v1/verdicts/batches",
      idempotency: null,
    });
    const erasure = await erase(tenant);
    expect(erasure).toMatchObject({ place: null, finishedAtMs: null });
    vi.setSystemTime(NOW + 10 * MINUTE);
    await ring(tenant);
    expect(await stateOf(tenant, erasure)).toMatchObject({ userId: PERSON, finishedAtMs: null });
    await tenant.stub().failBatch(1, { id: "bat_1", as: "items_missing" });
    vi.setSystemTime(NOW + 15 * MINUTE);
    await ring(tenant);
    vi.setSystemTime(NOW + 20 * MINUTE);
    await ring(tenant);
    const done = await stateOf(tenant, erasure);
    expect(done).toMatchObject({ userId: null, finishedAtMs: NOW + 20 * MINUTE });
  });

  it("keep their names until they end, so that a repeat does not run beside them", async () => {
    const tenant = await aTenant();
    await hold(tenant);
    await erase(tenant);
    const again = await tenant.admit({ userId: PERSON, idempotency });
    expect(again.kind).toBe("idempotency_in_progress");
  });

  it("may settle late: then there is one look more", async () => {
    const tenant = await aTenant();
    const open = await hold(tenant);
    vi.setSystemTime(NOW + DEADLINE);
    const erasure = await erase(tenant);
    expect(erasure.againAtMs).toBe(NOW + DEADLINE + 90 * SECOND);
    const late = await tenant.settle(open, { verdicts: [aVerdict(open, { userId: PERSON })] });
    expect(late.settlement.kind).toBe("settled_late");
    vi.setSystemTime(NOW + DEADLINE + 90 * SECOND);
    await ring(tenant);
    expect(await stateOf(tenant, erasure)).toMatchObject({ counts: { verdicts: 1 }, userId: null });
    expect(await count(tenant, "verdicts")).toBe(0);
  });

  it("of others are not waited for", async () => {
    const tenant = await aTenant();
    await tenant.hold({ userId: STAYS });
    expect((await erase(tenant)).finishedAtMs).toBe(NOW);
  });
});

describe("erasures", () => {
  it("are at most 100 at once", async () => {
    const tenant = await aTenant();
    const start = (userId: string) =>
      tenant.stub().startErasure(PLATFORM, { id: newId("era"), userId });
    for (let at = 0; at < 100; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await tenant.hold({ userId: `u_${at}` });
      // oxlint-disable-next-line no-await-in-loop
      expectKind(await start(`u_${at}`), "erasure");
    }
    expect((await start("u_100")).kind).toBe("over_limit");
    expectKind(await start("u_7"), "erasure");
    await withoutReports(tenant.id);
    vi.setSystemTime(NOW + DEADLINE);
    await ring(tenant);
    vi.setSystemTime(NOW + DEADLINE + 90 * SECOND);
    for (let at = 0; at < 100; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one each
      await ring(tenant);
    }
    expect(await count(tenant, "erasures", "finished_at_ms IS NULL")).toBe(0);
    expect(await count(tenant, "journal", "user_id IS NOT NULL")).toBe(0);
  });

  it("that are refused move no alarm to a later time", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold({ userId: STAYS }));
    const alarm = () => inTenant(tenant.id, ({ storage }) => storage.getAlarm());
    const before = await alarm();
    expect(before).toBeGreaterThan(NOW + SECOND);
    vi.setSystemTime(NOW + SECOND);
    const stranger = { kind: "key", secretHash: "of nobody", roles: [] } as const;
    const ask = { id: newId("era"), userId: PERSON };
    expect((await tenant.stub().startErasure(stranger, ask)).kind).toBe("invalid_key");
    expect(await alarm()).toBe(before);
  });

  it("leave no trace of a step that failed", async () => {
    const tenant = await aTenant();
    await fill(tenant, 9);
    await rows(
      tenant.id,
      "CREATE TRIGGER stop BEFORE DELETE ON verdicts BEGIN SELECT RAISE(ABORT, 'stop'); END",
    );
    await expect(
      (async () => tenant.stub().startErasure(PLATFORM, { id: newId("era"), userId: PERSON }))(),
    ).rejects.toThrow();
    expect([await count(tenant, "erasures"), await count(tenant, "events")]).toEqual([0, 9]);
    await rows(tenant.id, "DROP TRIGGER stop");
    expect((await erase(tenant)).counts).toMatchObject({ verdicts: 3, events: 3 });
  });

  it("are forgotten after a year", async () => {
    const tenant = await aTenant();
    await erase(tenant);
    vi.setSystemTime(NOW + 366 * 86_400 * SECOND);
    await ring(tenant);
    expect(await count(tenant, "erasures")).toBe(0);
  });
});
