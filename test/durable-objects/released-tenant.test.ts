import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
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
  DAY_MS,
  expectKind,
  inTenant,
  NOW,
  PLATFORM,
  rows,
  settleRequest,
  stopClock,
  tenantStub,
} from "./a-tenant.ts";
import { hostOn } from "./a-node.ts";
import RELEASED from "./released-tenant.sql?raw";

// An object that the build before wrote, with rows of every kind: what it has is found, and it goes on.

const ID = "released";
const FIRST_ALARM_MS = 13_000;

beforeEach(() => stopClock(NOW + FIRST_ALARM_MS));
afterEach(cleanUp);

/** The account knows the tenant; its object is as it was left. */
async function opened(): Promise<void> {
  await aTenant({}, ID);
  await inTenant(ID, async ({ storage }) => {
    await storage.deleteAll();
    storage.sql.exec(RELEASED);
  });
  await evictDurableObject(env.TENANT.getByName(ID));
}

const released = (table: string): readonly string[] =>
  RELEASED.split("\n").filter((line) => line.startsWith(`INSERT INTO ${table} `));

const TABLES = [...RELEASED.matchAll(/^CREATE TABLE "?(\w+)"?/gm)].map(([, name = ""]) => name);

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
  policies: ({ policies }) => policies.list("", ALL.limit).length,
  meter: ({ journal }) => Number(journal.readMeter().oldestHold !== null),
  periods: ({ journal }) => journal.listPeriods(0, 1e6).length,
  journal: ({ journal }) =>
    journal.listLines({ ...EVERY, outcome: null }).length + journal.openHolds("").length,
  verdicts: ({ verdicts }) => verdicts.list(ANY_VERDICT, NOW).verdicts.length,
  idempotency: ({ idempotency }, stored) =>
    stored("idempotency").filter(({ route, key }) =>
      idempotency.find(String(route), String(key), NOW + FIRST_ALARM_MS),
    ).length,
  refusals: ({ refusals }) => refusals.list(0, 1e9, { skip: 0, limit: 100 }).length,
  violations: ({ journal }) => journal.listViolations().length,
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

describe("an object of the build before", () => {
  it("has a row of every table that there was, each read by one of the stores", () => {
    expect(TABLES.length).toBe(34);
    const empty = TABLES.filter((table) => released(table).length === 0);
    expect(empty).toEqual([]);
    const unread = TABLES.filter((table) => FOUND[table] === undefined);
    expect(unread).toEqual(["schema_version"]);
  });

  it("loses none of its rows, and is written only what its features have got since", async () => {
    await opened();
    expectKind(await tenantStub(ID).readLimits(PLATFORM), "limits");
    const found = await inTenant(ID, ({ storage }) => {
      const parts = openStores(hostOn(storage));
      expect(parts.db.open()).toBe(true);
      const stored: Stored = (table) => storage.sql.exec(`SELECT * FROM ${table}`).toArray();
      return Object.entries(FOUND).map(([table, count]) => [table, count(parts, stored)]);
    });
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(Object.keys(FOUND).map((table) => [table, released(table).length])),
    );
    expect(await rows(ID, "SELECT * FROM schema_version")).toEqual([
      { version: TENANT_MIGRATIONS.length },
    ]);
    const changed = TENANT_SCHEMA.features.filter(
      ({ isReleased, migrations }) => isReleased && migrations.length > 1,
    );
    expect(await rows(ID, "SELECT name, version FROM features ORDER BY name")).toEqual(
      changed.map(({ name, migrations }) => ({ name, version: migrations.length })),
    );
  });

  it("answers over HTTP with what it had", async () => {
    await opened();
    const get = async (path: string) => (await admin("GET", `/admin/tenants/${ID}${path}`)).body;
    expect(await get("")).toMatchObject({ id: ID, content_retention_days: 30, version: 4 });
    const counts = ["/keys", "/grants", "/adjustments", "/ledger/archives", "/webhooks", "/events"];
    const lengths = await Promise.all(
      counts.map(async (path) => [path, (await get(path)).data.length as number] as const),
    );
    expect(Object.fromEntries(lengths)).toEqual({
      "/keys": 2,
      "/grants": 1,
      "/adjustments": 1,
      "/ledger/archives": 1,
      "/webhooks": 1,
      "/events": 4,
    });
  });

  it("goes on: it admits, settles, folds and erases", async () => {
    await opened();
    const [key] = await rows(ID, "SELECT secret_hash FROM keys WHERE role = 'manage'");
    const secretHash = key?.["secret_hash"] as string;
    const caller = { kind: "key", secretHash, roles: ["call"] } as const;
    const stub = tenantStub(ID);
    const { hold } = admitted(await stub.admit(admitRequest({ caller })));
    const settled = await stub.settle(settleRequest(hold));
    expect(settled.settlement.kind).toBe("settled");
    expect(await broken(ID)).toEqual([]);
    vi.setSystemTime(NOW + 10 * 60_000);
    for (let rung = 0; rung < 12; rung += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
      await runDurableObjectAlarm(env.TENANT.getByName(ID));
    }
    const lines = await rows(ID, "SELECT user_id FROM journal WHERE user_id = 'u_two'");
    expect(lines).toEqual([]);
    const rowsNow = await rows(ID, "SELECT COUNT(*) AS n FROM report_rows");
    expect(Number(rowsNow[0]?.["n"])).toBeGreaterThanOrEqual(released("report_rows").length);
  });
});
