import { env, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PoolStore } from "../../durable-objects/account/pool/pool-store.ts";
import { objectDatabase } from "../../durable-objects/database.ts";
import { NOTICES } from "../../durable-objects/outbox/outbox-schema.ts";
import { DailyNoticeStore } from "../../durable-objects/outbox/daily-notice-store.ts";
import { openStores, type TenantStores } from "../../durable-objects/tenant/stores.ts";
import { TENANT_SCHEMA } from "../../durable-objects/tenant/features.ts";
import { TENANT_MIGRATIONS } from "../../durable-objects/tenant/tenant-schema.ts";
import { admin } from "../client.ts";
import {
  aTenant,
  admitted,
  admitRequest,
  broken,
  cleanUp,
  DAY,
  DAY_MS,
  expectKind,
  inAccount,
  inTenant,
  NOW,
  rows,
  settleRequest,
  stopClock,
  tenantStub,
} from "./a-tenant.ts";
import { hostOn } from "./a-node.ts";
import { Receivers } from "../routes/receivers.ts";
import ACCOUNT from "./released-account.sql?raw";
import {
  accountObject,
  countsOf,
  leave,
  missingRows,
  RELEASED_MS,
  rowsOf,
  tablesOf,
} from "./released-objects.ts";
import STAGED from "./released-staged-tenant.sql?raw";
import ONE_LIST from "./released-tenant.sql?raw";

// Objects that earlier builds wrote, with rows of every kind: all rows are found, and the tenant goes on.

const ID = "released";

/** A build by its database of a tenant. */
interface Build {
  readonly sql: string;
  readonly tables: number;
  /** The tables that say which migrations were run. */
  readonly unread: readonly string[];
  /** The database of the account that the tenant was of; null: the account is of the present build. */
  readonly account: string | null;
  /** Invariants that were counted as broken by then. */
  readonly broken: readonly string[];
}

const STAGED_BUILD: Build = {
  sql: STAGED,
  tables: 35,
  unread: ["features"],
  account: ACCOUNT,
  broken: ["admitted_within_limit"],
};

const BUILDS: readonly (readonly [string, Build])[] = [
  [
    "before the stages",
    { sql: ONE_LIST, tables: 34, unread: ["schema_version"], account: null, broken: [] },
  ],
  ["before the nodes", STAGED_BUILD],
];

beforeEach(() => {
  stopClock(RELEASED_MS);
  void new Receivers();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

/** The account knows the tenant; its object is as it was left. */
async function opened({ sql, account }: Build): Promise<void> {
  if (account === null) await aTenant({}, ID);
  else await leave(accountObject(), account, RELEASED_MS);
  await leave(env.TENANT.getByName(ID), sql);
}

const ALL = { before: "~", limit: 100 };
const EVERY = { before: null, fromMs: null, toMs: null, limit: 100 };
const ANY_VERDICT = {
  ...EVERY,
  userId: null,
  contentId: null,
  decision: null,
  category: null,
  policy: null,
  review: null,
  batchId: null,
};

/** How many rows of each table the product's own stores find. */
const FOUND: Readonly<Record<string, (parts: TenantStores, stored: Stored) => number>> = {
  tenant: ({ profiles }) => Number(profiles.read()?.id === ID),
  keys: ({ keys }) => keys.list(ALL.before, ALL.limit).length,
  policies: ({ policies }, stored) =>
    stored("policies").filter(({ name, version }) => policies.read(String(name), Number(version)))
      .length,
  meter: ({ journal }) => Number(journal.readMeter().oldestHold !== null),
  periods: ({ journal }) => journal.listPeriods(0, 1e6).length,
  journal: ({ journal }) =>
    journal.listLines({ ...EVERY, outcome: null }).length + journal.openHolds("").length,
  verdicts: ({ verdicts }) => verdicts.list(ANY_VERDICT, NOW).verdicts.length,
  idempotency: ({ idempotency }, stored) =>
    stored("idempotency").filter(({ route, key }) =>
      idempotency.find(String(route), String(key), RELEASED_MS),
    ).length,
  refusals: ({ refusals }) => refusals.list(0, 1e9, { skip: 0, limit: 100 }).length,
  violations: ({ journal }) => journal.listViolations().length,
  reusable_verdicts: ({ reusable }, stored) =>
    stored("reusable_verdicts").filter((row) => {
      const policy = { name: String(row["policy_name"]), version: Number(row["policy_version"]) };
      const found = reusable.find({ policy, key: String(row["key"]) }, 0, RELEASED_MS);
      return found?.id === row["verdict_id"];
    }).length,
  replies: ({ replies }, stored) =>
    stored("replies").filter(({ call_id: id, day }) =>
      replies.read({ callId: String(id), day: Number(day) }),
    ).length,
  user_pictures: ({ userPictures }, stored) =>
    stored("user_pictures").filter(
      ({ day, user_id: user }) => userPictures.count(Number(day), String(user)) > 0,
    ).length,
  events: ({ outbox }) => outbox.events.listAfter("", 100).length,
  webhooks: ({ outbox }) => outbox.webhooks.all().length,
  deliveries: ({ outbox }) =>
    outbox.webhooks.all().flatMap(({ id }) => {
      const query = { webhookId: id, before: null, state: null, limit: 100 };
      return outbox.deliveries.list(query).deliveries;
    }).length,
  told: ({ db }, stored) => {
    const told = new DailyNoticeStore(db.of(NOTICES));
    const isTold = ({ day, type }: Readonly<Record<string, unknown>>) =>
      told.has(Number(day), type as "quota.threshold");
    return stored("told").filter(isTold).length;
  },
  reports: ({ outbox }) => outbox.platformEvents?.list(100).length ?? 0,
  erasures: ({ erasures }) => erasures.running().length,
  erasure_files: ({ erasures }) =>
    erasures.running().flatMap(({ id }) => erasures.listFiles(id, 100)).length,
  revisions: ({ revisions }, stored) =>
    revisions.list(String(stored("revisions")[0]?.["verdict_id"])).length,
  contents: ({ contents }) => contents.listBefore(NOW + DAY_MS, 100).length,
  content_files: ({ contentFiles }) => contentFiles.listDue(NOW + DAY_MS, 100).length,
  content_reads: ({ contents }) => contents.listReads(ALL.before, ALL.limit).length,
  batches: ({ batches }) => batches.list(ALL.before, ALL.limit).length,
  batch_steps: ({ batches }) =>
    batches.list(ALL.before, ALL.limit).flatMap(({ id }) => batches.listSteps(id, 0, 100)).length,
  grants: ({ grants }) => grants.list(ALL.before, ALL.limit).length,
  adjustments: ({ adjustments }) => adjustments.list(EVERY).length,
  archives: ({ archives }) => archives.list(1e6, 100).length,
  feed: ({ feed }) => Number(feed.read() !== null),
  report_rows: ({ reportRows }) =>
    (["usage_hour", "call_hour", "user_day", "logged_verdict"] as const).flatMap((kind) =>
      reportRows.list(kind, "", 100).map(({ key }) => key),
    ).length,
  report_users: ({ reportRows }, stored) =>
    stored("report_users").filter(
      ({ day, user_id: user }) => reportRows.slotOf(Number(day), String(user)) !== null,
    ).length,
  leases: ({ budget: cover }) => cover.leases.size,
  account_view: ({ budget: cover }) => Number(cover.account.notice > 0),
};

type Stored = (table: string) => readonly Readonly<Record<string, unknown>>[];

/** How many migrations of each feature its object has run; of one list: of those that had more since. */
const versionsOf = (sql: string): Record<string, unknown>[] =>
  TENANT_SCHEMA.features
    .filter(({ name, isReleased, migrations }) =>
      sql === STAGED
        ? sql.includes(`INSERT INTO features (name, version) VALUES ('${name}', `)
        : isReleased && migrations.length > 1,
    )
    .map(({ name, migrations }) => ({ name, version: migrations.length }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));

const callerOf = async (role: string) => {
  const [key] = await rows(ID, "SELECT secret_hash FROM keys WHERE role = ? ORDER BY id", role);
  const secretHash = key?.["secret_hash"] as string;
  return { kind: "key", secretHash, roles: ["call"] } as const;
};

const postedOn = async (day: number): Promise<number> =>
  Number((await rows(ID, "SELECT posted FROM periods WHERE day = ?", day))[0]?.["posted"]);

describe.each(BUILDS)("an object of the build %s", (_, build) => {
  const { sql, tables, unread } = build;

  it("has a row of every table that there was, each read by one of the stores", () => {
    expect(tablesOf(sql)).toHaveLength(tables);
    expect(tablesOf(sql).filter((table) => rowsOf(sql, table).length === 0)).toEqual([]);
    expect(tablesOf(sql).filter((table) => FOUND[table] === undefined)).toEqual(unread);
  });

  it("loses none of its rows, and is written only what its features have got since", async () => {
    await opened(build);
    // The object starts, and calls nobody who might tell it something new.
    expect(await broken(ID)).toEqual(build.broken);
    const there = Object.entries(FOUND).filter(([table]) => tablesOf(sql).includes(table));
    const found = await inTenant(ID, ({ storage }) => {
      const parts = openStores(hostOn(storage));
      expect(parts.db.open()).toBe(true);
      const stored: Stored = (table) => storage.sql.exec(`SELECT * FROM ${table}`).toArray();
      return there.map(([table, count]) => [table, count(parts, stored)]);
    });
    expect(Object.fromEntries(found)).toEqual(
      countsOf(
        sql,
        there.map(([table]) => table),
      ),
    );
    expect(await inTenant(ID, ({ storage }) => missingRows(storage, sql))).toEqual([]);
    expect(await rows(ID, "SELECT name, version FROM features ORDER BY name")).toEqual(
      versionsOf(sql),
    );
    if (!unread.includes("schema_version")) return;
    expect(await rows(ID, "SELECT * FROM schema_version")).toEqual([
      { version: TENANT_MIGRATIONS.length },
    ]);
  });

  it("answers over HTTP with what it had", async () => {
    await opened(build);
    const get = async (path: string) => (await admin("GET", `/admin/tenants/${ID}${path}`)).body;
    expect(await get("")).toMatchObject({ id: ID, content_retention_days: 30, version: 4 });
    const lists = {
      "/keys": "keys",
      "/grants": "grants",
      "/adjustments": "adjustments",
      "/ledger/archives": "archives",
      "/webhooks": "webhooks",
      "/events": "events",
    };
    const lengths = await Promise.all(
      Object.keys(lists).map(async (path) => [path, (await get(path)).data.length] as const),
    );
    expect(Object.fromEntries(lengths)).toEqual(
      Object.fromEntries(
        Object.entries(lists).map(([path, table]) => [path, rowsOf(sql, table).length]),
      ),
    );
  });

  it("goes on: it admits, settles, folds and erases", async () => {
    await opened(build);
    const stub = tenantStub(ID);
    const before = await postedOn(DAY);
    expect(before).toBeGreaterThan(0);
    const caller = await callerOf("manage");
    const { hold } = admitted(await stub.admit(admitRequest({ caller })));
    const settled = await stub.settle(settleRequest(hold));
    expect(settled.settlement.kind).toBe("settled");
    expect(await postedOn(DAY)).toBe(before + hold.held);
    expect(await broken(ID)).toEqual(build.broken);
    vi.setSystemTime(NOW + 10 * 60_000);
    for (let rung = 0; rung < 12; rung += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
      await runDurableObjectAlarm(env.TENANT.getByName(ID));
    }
    const lines = await rows(ID, "SELECT user_id FROM journal WHERE user_id = 'u_two'");
    expect(lines).toEqual([]);
    const rowsNow = await rows(ID, "SELECT COUNT(*) AS n FROM report_rows");
    expect(Number(rowsNow[0]?.["n"])).toBeGreaterThanOrEqual(rowsOf(sql, "report_rows").length);
  });
});

const share = async () =>
  inAccount(({ storage }) => new PoolStore(objectDatabase(storage)).readShare(DAY, ID, 1));

describe("a tenant and an account of the build before the nodes", () => {
  it("go on with the lease that the account granted, and hand over the reports that wait", async () => {
    await opened(STAGED_BUILD);
    const granted = await share();
    expect(granted).toMatchObject({ granted: 210_000_000, seq: 2, spent: 93_105_575 });
    const stub = tenantStub(ID);
    const { hold } = admitted(await stub.admit(admitRequest({ caller: await callerOf("manage") })));
    expectKind((await stub.settle(settleRequest(hold))).settlement, "settled");
    // The lease covers it: the account was not called.
    expect(await share()).toEqual(granted);
    // It ends by its deadline; the account hears of what was spent of it.
    vi.setSystemTime(NOW + 6 * 60_000);
    await runDurableObjectAlarm(env.TENANT.getByName(ID));
    const after = await share();
    // An adjustment gives back to the tenant, not to the account.
    const [adjusted] = await rows(ID, "SELECT SUM(amount) AS sum FROM adjustments");
    const spent = (await postedOn(DAY)) + Number(adjusted?.["sum"]);
    expect(after).toMatchObject({ spent, pending: 0 });
    expect(after?.seq).toBeGreaterThan(2);
    const { data } = (await admin("GET", "/admin/events")).body;
    expect(data.map(({ type }: { type: string }) => type)).toContain("quota.exceeded");
    expect(await rows(ID, "SELECT * FROM reports")).toEqual([]);
  });
});
