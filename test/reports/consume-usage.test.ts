import { env } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dayOf } from "../../src/domain/ledger/period.ts";
import type { SentRow } from "../../src/domain/usage/report-rows.ts";
import type { UsageMessage } from "../../src/reports/usage-message.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { readTotals } from "../../src/reports/usage-store.ts";
import {
  aTenant,
  type ATenant,
  cleanUp,
  DAY,
  DAY_MS,
  HOUR,
  NOW,
  PICTURE,
  stopClock,
} from "../durable-objects/a-tenant.ts";
import { deliver, FakeQueue, reportRows, standingOf } from "./fake-queue.ts";
import { A_CALL_HOUR } from "./seed-rows.ts";

// The messages that the queue delivers together: one transaction, one word to each tenant's object, and
// none of them held back by another that cannot be written.

beforeEach(async () => {
  stopClock();
  await migrateReports(env.REPORTS);
});
afterEach(cleanUp);

const aRow = (hour: number, fields: object = {}): SentRow => ({
  kind: "call_hour",
  key: String(hour).padStart(7, "0"),
  row: { ...A_CALL_HOUR, hour, ...fields },
});

const aMessage = (tenant: string, rows: readonly SentRow[]): UsageMessage => ({
  version: 1,
  tenant,
  life: 1,
  epoch: 0,
  rows,
});

const THIS_HOUR = Math.floor(NOW / HOUR);

const messages = (count: number): UsageMessage[] =>
  Array.from({ length: count }, (_, at) => aMessage(`t-${at}`, [aRow(THIS_HOUR)]));

/** Reports and objects that count what they are asked. */
function counting() {
  const seen = { transactions: 0, statements: 0, told: [] as string[], atOnce: 0, most: 0 };
  const reports = new Proxy(env.REPORTS, {
    get(database, name) {
      if (name === "prepare") return (sql: string) => database.prepare(sql);
      if (name !== "batch") return Reflect.get(database, name) as unknown;
      return (statements: D1PreparedStatement[]) => {
        seen.transactions += 1;
        seen.statements += statements.length;
        return database.batch(statements);
      };
    },
  });
  const object = (tenant: string) => ({
    rowsArrived: async () => {
      seen.told.push(tenant);
      seen.atOnce += 1;
      seen.most = Math.max(seen.most, seen.atOnce);
      await scheduler.wait(1);
      seen.atOnce -= 1;
    },
    readReportDays: () => Promise.resolve(null),
  });
  const bindings = { ...env, REPORTS: reports, TENANT: { getByName: object } } as unknown as Env;
  return { seen, bindings };
}

const written = async (): Promise<number> =>
  Number((await env.REPORTS.prepare("SELECT COUNT(*) AS rows FROM call_hours").first())?.["rows"]);

const silent = () => vi.spyOn(console, "error").mockImplementation(() => undefined);

describe("messages that come together", () => {
  it("are one transaction, of some statements, whoever sent them", async () => {
    const { seen, bindings } = counting();
    expect(await deliver(messages(100), { bindings })).toEqual({ acked: 100, retried: 0 });
    expect(seen).toMatchObject({ transactions: 1 });
    expect(seen.statements).toBeLessThan(8);
    expect(await written()).toBe(100);
  });

  it("are cut into statements that the database takes, however much they hold", async () => {
    const { seen, bindings } = counting();
    const refused = Object.fromEntries(Array.from({ length: 800 }, (_, at) => [`kind_${at}`, 1]));
    const large = Array.from({ length: 100 }, (_, at) =>
      aMessage(
        `t-${at}`,
        [0, 1, 2, 3, 4, 5].map((hour) => aRow(THIS_HOUR + hour, { refused })),
      ),
    );
    expect(JSON.stringify(large).length).toBeGreaterThan(6_000_000);
    expect(await deliver(large, { bindings })).toEqual({ acked: 100, retried: 0 });
    expect(seen.transactions).toBe(1);
    expect(seen.statements).toBeLessThan(15);
    expect(await written()).toBe(600);
  });

  it("are told to each tenant once, some tenants at a time", async () => {
    const { seen, bindings } = counting();
    const twice = [...messages(50), ...messages(50)];
    expect(await deliver(twice, { bindings })).toEqual({ acked: 100, retried: 0 });
    expect(seen.told).toHaveLength(50);
    expect(new Set(seen.told).size).toBe(50);
    expect(seen.most).toBeGreaterThan(1);
    expect(seen.most).toBeLessThanOrEqual(20);
  });

  it.each([0, 37, 99])("are written though one of them cannot be (%i)", async (at) => {
    silent();
    const { seen, bindings } = counting();
    const all: unknown[] = messages(100);
    all[at] = aMessage("poison", [aRow(THIS_HOUR, { quota: "not a number" })]);
    expect(await deliver(all, { bindings })).toEqual({ acked: 99, retried: 1 });
    expect(await written()).toBe(99);
    expect(seen.told).not.toContain("poison");
    // The whole, and two halves of each half that failed.
    expect(seen.transactions).toBeLessThanOrEqual(16);
  });

  it("are all tried again where nothing can be written, without a try for each", async () => {
    silent();
    let tries = 0;
    const down = {
      prepare: (sql: string) => env.REPORTS.prepare(sql),
      batch: () => {
        tries += 1;
        return Promise.reject(new Error("D1_ERROR"));
      },
    };
    const bindings = { ...counting().bindings, REPORTS: down as unknown as D1Database } as Env;
    expect(await deliver(messages(100), { bindings })).toEqual({ acked: 0, retried: 100 });
    expect(tries).toBeLessThanOrEqual(16);
  });

  it("are tried again where an object could not be told, and the others are not", async () => {
    silent();
    const { seen, bindings } = counting();
    const { getByName } = bindings.TENANT as unknown as { getByName: (id: string) => object };
    const some = {
      getByName: (id: string) =>
        id === "t-3" ? { rowsArrived: () => Promise.reject(new TypeError("gone")) } : getByName(id),
    };
    const broken = { ...bindings, TENANT: some } as unknown as Env;
    expect(await deliver(messages(10), { bindings: broken })).toEqual({ acked: 9, retried: 1 });
    expect(seen.told).toHaveLength(9);
  });

  it("bring nothing of a life that has ended, and all of the others", async () => {
    await env.REPORTS.prepare("INSERT INTO ended_lives VALUES ('t-1', 1, 0)").run();
    const { bindings } = counting();
    expect(await deliver(messages(3), { bindings })).toEqual({ acked: 3, retried: 0 });
    expect(await reportRows("call_hours", "t-1")).toEqual([]);
    expect(await written()).toBe(2);
  });
});

/** As the schedule does it once that day is long ago. */
const rollUp = () =>
  env.REPORTS.batch([
    env.REPORTS.prepare("UPDATE upkeep SET closed_before = ?1, rolled_before = ?1").bind(DAY + 1),
    env.REPORTS.prepare("DELETE FROM usage_hours WHERE hour < ?1").bind((DAY + 1) * 24),
    env.REPORTS.prepare("DELETE FROM call_hours WHERE hour < ?1").bind((DAY + 1) * 24),
  ]);

describe("rows of hours that are no longer kept", () => {
  let queue: FakeQueue;
  let tenant: ATenant;

  async function call(): Promise<void> {
    await tenant.settle(await tenant.hold());
  }

  async function fold(): Promise<void> {
    vi.setSystemTime(Date.now() + 5000);
    await queue.ring(tenant.id);
  }

  const totals = async () => {
    const { calls, engines } = await readTotals(env.REPORTS, {
      from: DAY,
      to: dayOf(Date.now()) + 1,
      tenant: tenant.id,
    });
    return { calls: calls.calls, microNeurons: engines.microNeurons };
  };

  beforeEach(async () => {
    queue = new FakeQueue();
    tenant = await aTenant();
    await call();
    vi.setSystemTime(Date.now() + 2 * HOUR);
    await call();
    await fold();
    vi.setSystemTime(NOW + 40 * DAY_MS);
    await rollUp();
  });

  it("become days, as the object adds them up, once however often they come", async () => {
    const sent = queue.take();
    for (const again of [sent, sent.toReversed(), [...sent, ...sent]]) {
      // oxlint-disable-next-line no-await-in-loop -- one delivery after the other
      expect(await deliver(again)).toEqual({ acked: again.length, retried: 0 });
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await totals()).toEqual({ calls: 2, microNeurons: BigInt(2 * PICTURE) });
    }
    expect((await standingOf(tenant.id)).waiting).toBe(0);
    expect(await reportRows("call_hours", tenant.id)).toEqual([]);
    expect(await reportRows("call_days", tenant.id)).toMatchObject([
      { day: DAY, calls: 2, hours: 2 },
    ]);
    expect(await reportRows("usage_days", tenant.id)).toMatchObject([{ day: DAY, hours: 2 }]);
    expect(await reportRows("marked_days", tenant.id)).toMatchObject([{ day: DAY, stage: 2 }]);
  });

  it("are of the life that asked: another one has nothing to add up", async () => {
    const sent = queue.take().map((message) => ({ ...message, life: 7 }));
    expect(await deliver(sent)).toEqual({ acked: sent.length, retried: 0 });
    expect(await reportRows("call_days", tenant.id)).toEqual([]);
  });

  it("are tried again where hours went while they were written", async () => {
    silent();
    await env.REPORTS.prepare("UPDATE upkeep SET rolled_before = 0").run();
    const sent = queue.take();
    const reports = new Proxy(env.REPORTS, {
      get(database, name) {
        if (name === "prepare") return (sql: string) => database.prepare(sql);
        if (name !== "batch") return Reflect.get(database, name) as unknown;
        return async (statements: D1PreparedStatement[]) => {
          await rollUp();
          return database.batch(statements);
        };
      },
    });
    const bindings = { ...env, REPORTS: reports } as Env;
    expect(await deliver(sent, { bindings })).toEqual({ acked: 0, retried: sent.length });
    expect(await reportRows("call_hours", tenant.id)).toEqual([]);
    expect(await deliver(sent)).toEqual({ acked: sent.length, retried: 0 });
    expect(await totals()).toMatchObject({ calls: 2 });
  });
});
