import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ACCOUNT_MIGRATIONS } from "../../durable-objects/account/account-schema.ts";
import { AuditStore } from "../../durable-objects/account/audit/audit-store.ts";
import { CheckStore } from "../../durable-objects/account/checks/check-store.ts";
import { DeniedStore } from "../../durable-objects/account/pool/denied-store.ts";
import { PoolStore } from "../../durable-objects/account/pool/pool-store.ts";
import { ClosedPeriodStore } from "../../durable-objects/account/tenants/closed-period-store.ts";
import { FileSweepStore } from "../../durable-objects/account/tenants/file-sweep-store.ts";
import { ReportEndStore } from "../../durable-objects/account/tenants/report-end-store.ts";
import { TenantStore } from "../../durable-objects/account/tenants/tenant-store.ts";
import { type Database, objectDatabase } from "../../durable-objects/database.ts";
import { Outbox } from "../../durable-objects/outbox/outbox.ts";
import { monthOf } from "../../src/domain/ledger/period.ts";
import { admin } from "../client.ts";
import { Receivers } from "../routes/receivers.ts";
import {
  cleanUp,
  DAY,
  inAccount,
  MINUTE,
  NOW,
  ringAccount,
  SECOND,
  stopClock,
} from "./a-tenant.ts";
import RELEASED from "./released-account.sql?raw";
import {
  accountObject,
  countsOf,
  leave,
  missingRows,
  RELEASED_MS,
  rowsOf,
  tablesOf,
} from "./released-objects.ts";

// The account's object as the last build before the nodes wrote it, with rows of every kind.

let receivers: Receivers;
beforeEach(async () => {
  stopClock(RELEASED_MS);
  receivers = new Receivers();
  await leave(accountObject(), RELEASED, RELEASED_MS);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

const OLD_DAY = DAY - 40;
const ACTIVE = ["released", "released-hungry", "released-paid", "released-suspended"];
const ENDING = "released-ending";
const ENDED = "released-ended";

const outboxOf = (db: Database): Outbox => new Outbox(db, () => null);

/** How many rows of each table the product's own stores find. */
const FOUND: Readonly<Record<string, (db: Database) => number>> = {
  tenants: (db) => Object.values(new TenantStore(db).countTenants()).reduce((a, b) => a + b),
  closed_periods: (db) => new ClosedPeriodStore(db).read(ENDED, null, monthOf(DAY)).days.length,
  audit: (db) => new AuditStore(db).listAudit("~", null, 100).length,
  file_sweeps: (db) => new FileSweepStore(db).list(100).length,
  events: (db) => outboxOf(db).events.listAfter("", 100).length,
  webhooks: (db) => outboxOf(db).webhooks.all().length,
  deliveries: (db) => {
    const { webhooks, deliveries } = outboxOf(db);
    return webhooks.all().flatMap(({ id }) => {
      const query = { webhookId: id, before: null, state: null, limit: 100 };
      return deliveries.list(query).deliveries;
    }).length;
  },
  report_ends: (db) => new ReportEndStore(db).list(100).length,
  dead_messages: (db) => Number(new ReportEndStore(db).deadMessages() === 3),
  pool_state: (db) => Number(new PoolStore(db).readState().relief === 6),
  promises: (db) =>
    [...ACTIVE, ENDING].filter((id) => new PoolStore(db).promises.read(id) !== null).length,
  pool_shares: (db) => [OLD_DAY, DAY].flatMap((day) => new PoolStore(db).listShares(day)).length,
  denied_tenants: (db) =>
    new DeniedStore(db).list({ day: DAY, before: Infinity, after: "" }, 100).length,
  check_passes: (db) => new CheckStore(db).listPasses().length,
  check_findings: (db) => new CheckStore(db).listFindings("", 100).length,
  rate_bounds: (db) => new PoolStore(db).readBounds().length,
};

/** Of the account's outbox: only tenants keep which notices a day had. */
const UNUSED = ["told"];

const get = async (path: string) => (await admin("GET", path)).body;

const idsOf = ({ data }: { data: readonly { id: string }[] }) => data.map(({ id }) => id);

const left = (table: string) =>
  inAccount(({ storage }) => storage.sql.exec(`SELECT * FROM ${table}`).toArray());

describe("the account's object of the build before the nodes", () => {
  it("has a row of every table that is used, each read by one of the stores", () => {
    const tables = tablesOf(RELEASED);
    expect(tables).toHaveLength(18);
    expect(tables.filter((table) => rowsOf(RELEASED, table).length === 0)).toEqual(UNUSED);
    expect(tables.filter((table) => FOUND[table] === undefined)).toEqual([
      "schema_version",
      ...UNUSED,
    ]);
  });

  it("loses none of its rows, and is of the present version", async () => {
    const tables = Object.keys(FOUND);
    // The object has started, and has migrated what it found.
    expect(await inAccount((_, account) => account.deadMessages())).toBe(3);
    const found = await inAccount(({ storage }) => {
      const db = objectDatabase(storage);
      return Object.entries(FOUND).map(([table, count]) => [table, count(db)]);
    });
    expect(Object.fromEntries(found)).toEqual(countsOf(RELEASED, tables));
    expect(await inAccount(({ storage }) => missingRows(storage, RELEASED))).toEqual([]);
    const versions = await inAccount(({ storage }) =>
      storage.sql.exec("SELECT * FROM schema_version").toArray(),
    );
    expect(versions).toEqual([{ version: ACCOUNT_MIGRATIONS.length }]);
  });

  it("lists tenants of each state, with the pool's shares", async () => {
    expect(idsOf(await get("/admin/tenants"))).toEqual(ACTIVE);
    expect(idsOf(await get("/admin/tenants?state=suspended"))).toEqual(["released-suspended"]);
    expect(idsOf(await get("/admin/tenants?state=deleting"))).toEqual([ENDING]);
    const shares = await inAccount(({ storage }) =>
      new PoolStore(objectDatabase(storage)).listShares(DAY),
    );
    const granted = shares.map(({ tenant, granted: amount }) => [tenant, amount]);
    expect(Object.fromEntries(granted)).toMatchObject({
      released: 210_000_000,
      [ENDED]: 12_641_460,
      "released-paid": 100_000_000,
    });
    const pool = await inAccount((_, account) => account.readPool());
    // The cap of the settings, without the margin that was measured. A deletion that has begun keeps its promise.
    expect(pool).toMatchObject({ size: 9_000_000_000 - 1000, margin: 1000, tenants: 5 });
    expect(pool.promised).toBe(2_200_000_000);
    expect(pool.floors).toBe(10_000_000);
    const spent = shares.reduce((sum, share) => sum + share.spent, 0);
    expect(pool.spent).toBe(spent);
  });

  it("shows the log page by page, the checks, and what an ended tenant used", async () => {
    const ids: string[] = [];
    let cursor = "";
    do {
      // oxlint-disable-next-line no-await-in-loop -- page after page
      const page = await get(`/admin/audit?limit=10${cursor && `&cursor=${cursor}`}`);
      expect(page.data.length).toBeLessThanOrEqual(10);
      ids.push(...idsOf(page));
      cursor = page.next_cursor ?? "";
    } while (cursor !== "");
    const stored = rowsOf(RELEASED, "audit").map((row) => row.match(/evt_\w+/)?.[0] ?? "");
    expect(ids).toEqual(stored.toSorted().toReversed());
    const checks = await get("/admin/invariants");
    expect(checks.data).toMatchObject([{ tenant: "released", found: "broken" }]);
    const statement = await get(`/admin/tenants/${ENDED}/statements/2036-11`);
    expect(statement.totals.quota_micro_neurons).toBe(12_641_460);
  });

  it("lists the platform's endpoints, their deliveries, and events", async () => {
    const endpoints = (await get("/admin/webhooks")).data as { id: string; url: string }[];
    const states = await Promise.all(
      endpoints.map(async ({ id, url }) => {
        const { data } = await get(`/admin/webhooks/${id}/deliveries`);
        return [url, data.map(({ state }: { state: string }) => state).toSorted()];
      }),
    );
    expect(Object.fromEntries(states)).toEqual({
      "https://ops.platform.dev/": ["delivered", "delivered"],
      "https://down.platform.dev/": ["failed", "pending"],
    });
    expect((await get("/admin/events")).data).toHaveLength(3);
  });

  it("goes on: its alarm ends, tells, delivers and sweeps what was left", async () => {
    vi.setSystemTime(NOW + MINUTE);
    expect(await ringAccount()).toBe(true);
    // The deletion that was cut short has ended.
    expect(idsOf(await get("/admin/tenants?state=deleting"))).toEqual([]);
    expect(await left("denied_tenants")).toEqual([]);
    expect(receivers.at("down.platform.dev")).toHaveLength(1);
    vi.setSystemTime(NOW + 5 * MINUTE);
    await ringAccount();
    vi.setSystemTime(NOW + 10 * MINUTE + SECOND);
    await ringAccount();
    expect(await left("file_sweeps")).toEqual([]);
    expect(await left("report_ends")).toEqual([]);
    // A new life of a name goes on with the day of its last.
    const made = await admin("PUT", `/admin/tenants/${ENDED}`, {
      plan: "free",
      daily_neurons: 100,
    });
    expect(made.status).toBe(201);
    const limits = await get(`/admin/tenants/${ENDED}/limits`);
    expect(limits.posted_micro_neurons).toBe(12_641_460);
  });
});
