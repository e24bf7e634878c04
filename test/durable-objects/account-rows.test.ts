import { env, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../durable-objects/account/account.ts";
import { ACCOUNT_MIGRATIONS } from "../../durable-objects/account/account-schema.ts";
import { AuditStore } from "../../durable-objects/account/audit/audit-store.ts";
import { TenantStore } from "../../durable-objects/account/tenants/tenant-store.ts";
import { FileSweepStore } from "../../durable-objects/account/tenants/file-sweep-store.ts";
import { ReportEndStore } from "../../durable-objects/account/tenants/report-end-store.ts";
import { TenantListStore } from "../../durable-objects/account/tenants/tenant-list-store.ts";
import type { TenantFilter } from "../../durable-objects/account/tenants/tenant-list.ts";
import { type Database, migrate, objectDatabase } from "../../durable-objects/database.ts";
import { account, cleanUp, DAY, inAccount, NOW, stopClock } from "./a-tenant.ts";

// Rows that the account's object reads: as many as it needs, however many there are.

beforeEach(() => stopClock());
afterEach(cleanUp);

/** Rows that are read by it. */
const rowsRead = (storage: DurableObjectStorage, act: (db: Database) => unknown): number => {
  let read = 0;
  act({
    run: <Row>(statement: string, ...values: never[]) => {
      const cursor = storage.sql.exec(statement, ...values);
      const rows = cursor.toArray() as Row[];
      read += cursor.rowsRead;
      return rows;
    },
  } as unknown as Database);
  return read;
};

const MANY = 2_000;

describe("a list", () => {
  it("reads no more rows than it returns", async () => {
    await account().listTenants("", 1);
    await inAccount(({ storage }) => {
      for (let at = 0; at < MANY; at += 1) {
        const name = `t-${String(at).padStart(5, "0")}`;
        const state = at % 100 === 7 ? "deleting" : at % 2 === 0 ? "active" : "deleted";
        storage.sql.exec(
          "INSERT INTO tenants VALUES (?, 1, ?, 0, 0, ?, NULL)",
          name,
          state,
          NOW + at,
        );
        storage.sql.exec("INSERT INTO file_sweeps VALUES (?, 1, ?, 0)", name, NOW - at);
        storage.sql.exec("INSERT INTO report_ends VALUES (?, 1, 0, -1, ?)", name, NOW - at);
        storage.sql.exec(
          "INSERT INTO audit VALUES (?, ?, 'me', 'PUT', ?, 'req', '{}')",
          `adt_${String(at).padStart(5, "0")}`,
          NOW,
          at % 500 === 3 ? "rare" : null,
        );
      }
      const read = (act: (db: Database) => readonly unknown[], returned: number) => {
        let length = 0;
        const rows = rowsRead(storage, (db) => ({ length } = act(db)));
        expect(length).toBe(returned);
        // An index gives the key of a row, by which the row is found.
        expect(rows).toBeLessThanOrEqual(2 * returned + 1);
      };
      read((db) => new TenantStore(db).listDeleting("", 1), 1);
      read((db) => new TenantStore(db).listDeleting("t-01000", 50), 10);
      read((db) => new FileSweepStore(db).list(1), 1);
      read((db) => new ReportEndStore(db).list(50), 50);
      read((db) => new AuditStore(db).listAudit("adu", "rare", 49), 4);
      read((db) => new AuditStore(db).listAudit("adu", null, 49), 50);
    });
  });
});

describe("a page of tenants", () => {
  it("reads its tenants and no others, wherever it begins", async () => {
    await account().listTenants("", 1);
    await inAccount(({ storage }) => {
      for (let at = 0; at < MANY; at += 1) {
        const name = `t-${String(at).padStart(5, "0")}`;
        storage.sql.exec(
          "INSERT INTO tenants VALUES (?, 1, 'active', 0, 0, ?, NULL)",
          name,
          NOW + at,
        );
        const plan = at % 100 === 7 ? "paid" : "free";
        const suspended = at % 100 === 9 || at % 200 === 7 ? 1 : 0;
        storage.sql.exec(
          "INSERT INTO promises VALUES (?, 1, 1, ?, 0, 0, 0, ?)",
          name,
          plan,
          suspended,
        );
      }
      const read = (
        after: string,
        prefix: string,
        kind: Partial<Pick<TenantFilter, "plan" | "state">> = {},
      ) => {
        let found: readonly string[] = [];
        const filter = { prefix, plan: null, state: null, ...kind, limit: 10 };
        const rows = rowsRead(storage, (db) => {
          found = new TenantListStore(db).listTenants(after, filter);
        });
        expect(found).toHaveLength(10);
        // Each with its settings, and its state by two looks; of two kinds as many each.
        expect(rows).toBeLessThanOrEqual(62);
        return [found[0], found[1]];
      };
      expect(read("", "")).toEqual(["t-00000", "t-00001"]);
      expect(read("t-01000", "")).toEqual(["t-01001", "t-01002"]);
      expect(read("", "t-015")).toEqual(["t-01500", "t-01501"]);
      expect(read("t-00100", "", { plan: "paid" })).toEqual(["t-00107", "t-00207"]);
      expect(read("", "", { state: "suspended" })).toEqual(["t-00007", "t-00009"]);
      expect(read("t-00009", "", { plan: "free", state: "suspended" })).toEqual([
        "t-00109",
        "t-00209",
      ]);
      expect(read("", "", { plan: "paid", state: "active" })).toEqual(["t-00107", "t-00307"]);
    });
  });
});

/** To what it was before the migration of that index. */
function bringBack(storage: DurableObjectStorage, before: number): void {
  for (const { name } of storage.sql
    .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
    .toArray()) {
    if (!name.startsWith("_") && !name.startsWith("sqlite_"))
      storage.sql.exec(`DROP TABLE ${name}`);
  }
  migrate(objectDatabase(storage), ACCOUNT_MIGRATIONS.slice(0, before));
}

describe("an account that was closed under an earlier version", () => {
  it("tells all of its tenants that it is open again: they were all told that it is not", async () => {
    const name = "of-an-earlier-version";
    const before = ACCOUNT_MIGRATIONS.findIndex((one) => one.name === "denied_tenants");
    await runInDurableObject(env.ACCOUNT.getByName(name), (_, { storage }) => {
      bringBack(storage, before);
      storage.sql.exec("INSERT INTO promises VALUES ('t-1', 1, 1, 'free', 0, 0, 3)");
      storage.sql.exec("INSERT INTO promises VALUES ('t-2', 1, 1, 'free', 0, 0, 4)");
      storage.sql.exec(
        `INSERT INTO pool_state VALUES (1, '{}', 0, 4, ${DAY}, ${NOW}, ${NOW}, 0, 0, 0)`,
      );
    });
    await evictDurableObject(env.ACCOUNT.getByName(name));
    const stub = env.ACCOUNT.getByName(name) as unknown as Account;
    expect(await stub.reopen()).toBe(2);
    await runInDurableObject(env.ACCOUNT.getByName(name), (_, { storage }) => {
      expect(storage.sql.exec("SELECT * FROM denied_tenants").toArray()).toEqual([
        { tenant: "t-1", day: DAY, notice: 3, is_closed: 1 },
        { tenant: "t-2", day: DAY, notice: 4, is_closed: 1 },
      ]);
    });
  });
});

describe("what an earlier version wrote of tenants", () => {
  it("counts what was given within the minute, whoever took it", async () => {
    const name = "before-rate-bounds";
    const before = ACCOUNT_MIGRATIONS.findIndex((one) => one.name === "rate_bounds");
    const second = Math.floor(NOW / 5_000) * 5;
    await runInDurableObject(env.ACCOUNT.getByName(name), (_, { storage }) => {
      bringBack(storage, before);
      const took = (of: string, tenant: string, window: readonly (readonly number[])[]) =>
        storage.sql.exec(
          "INSERT INTO rate_uses VALUES (?, ?, 0, ?)",
          of,
          tenant,
          JSON.stringify(window),
        );
      took("text_generation", "t-1", [[second, 100]]);
      took("text_generation", "t-2", [
        [second - 40, 20],
        [second, 150],
      ]);
      took("text_classification", "t-1", [
        [second, 7],
        [second + 5, 3],
      ]);
      // Long ago, and refused after that.
      took("text_generation", "t-3", [[second - 80, 300]]);
      took("text_generation", "t-4", []);
    });
    await evictDurableObject(env.ACCOUNT.getByName(name));
    const { pool } = await runInDurableObject(env.ACCOUNT.getByName(name), (object) =>
      object.readFacts(),
    );
    const remaining = (of: string) => pool.rates.find((rate) => rate.name === of)?.remaining;
    expect(remaining("text_generation")).toBe(300 - 270);
    expect(remaining("text_classification")).toBe(2000 - 10);
    await runInDurableObject(env.ACCOUNT.getByName(name), (_, { storage }) => {
      const rows = storage.sql.exec("SELECT * FROM rate_bounds ORDER BY period DESC").toArray();
      const period = second / 5;
      expect(rows.slice(0, 2).map((row) => [row["slot"], row["period"], row["units"]])).toEqual([
        [period % 16, period, JSON.stringify({ text_classification: 3 })],
        [
          (period - 1) % 16,
          period - 1,
          JSON.stringify({ text_classification: 7, text_generation: 250 }),
        ],
      ]);
    });
  });

  it("says which are suspended: they were promised nothing", async () => {
    const name = "before-suspended";
    const before = ACCOUNT_MIGRATIONS.findIndex((one) => one.name === "suspended_tenants");
    await runInDurableObject(env.ACCOUNT.getByName(name), (_, { storage }) => {
      bringBack(storage, before);
      storage.sql.exec("INSERT INTO promises VALUES ('t-1', 1, 2, 'free', 0, 0, 3)");
      storage.sql.exec("INSERT INTO promises VALUES ('t-2', 1, 2, 'free', 5, 0, 3)");
      storage.sql.exec("INSERT INTO promises VALUES ('t-3', 1, 0, 'free', 0, 0, 3)");
    });
    await evictDurableObject(env.ACCOUNT.getByName(name));
    await runInDurableObject(env.ACCOUNT.getByName(name), (_, { storage }) => {
      expect(
        storage.sql.exec("SELECT tenant, suspended FROM promises ORDER BY tenant").toArray(),
      ).toEqual([
        { tenant: "t-1", suspended: 1 },
        { tenant: "t-2", suspended: 0 },
        // Its settings were never heard of.
        { tenant: "t-3", suspended: 0 },
      ]);
    });
  });
});
