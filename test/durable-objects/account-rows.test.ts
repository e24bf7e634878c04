import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AccountStore } from "../../durable-objects/account/account-store.ts";
import { FileSweepStore } from "../../durable-objects/account/file-sweep-store.ts";
import { ReportEndStore } from "../../durable-objects/account/report-end-store.ts";
import type { Database } from "../../durable-objects/database.ts";
import { account, cleanUp, inAccount, NOW, stopClock } from "./a-tenant.ts";

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
      read((db) => new AccountStore(db).listDeleting("", 1), 1);
      read((db) => new AccountStore(db).listDeleting("t-01000", 50), 10);
      read((db) => new FileSweepStore(db).list(1), 1);
      read((db) => new ReportEndStore(db).list(50), 50);
      read((db) => new AccountStore(db).listAudit("adu", "rare", 49), 4);
      read((db) => new AccountStore(db).listAudit("adu", null, 49), 50);
    });
  });
});
