import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PoolCache } from "../../durable-objects/account/pool/pool-cache.ts";
import { PoolStore } from "../../durable-objects/account/pool/pool-store.ts";
import {
  type TenantFilter,
  TenantList,
} from "../../durable-objects/account/tenants/tenant-list.ts";
import { TenantListStore } from "../../durable-objects/account/tenants/tenant-list-store.ts";
import type { TenantPage } from "../../durable-objects/account/tenants/tenant-order.ts";
import type { TenantPlace } from "../../src/domain/account/listed-tenant.ts";
import type { Database, SqlValue } from "../../durable-objects/database.ts";
import { cleanUp, DAY, inAccount, NOW, stopClock } from "./a-tenant.ts";
import { known, nameOf } from "./many-tenants.ts";

// What a page of tenants by amount costs the account in statements and rows, when those with an amount
// come first by id: so that the border to the others is as far as it can be.

beforeEach(() => stopClock());
afterEach(cleanUp);

const MANY = 8_000;
const SHARING = 4_000;

interface Cost {
  statements: number;
  rows: number;
}

function metered(storage: DurableObjectStorage): { readonly db: Database; readonly cost: Cost } {
  const cost: Cost = { statements: 0, rows: 0 };
  const run = (statement: string, ...values: SqlValue[]) => {
    const cursor = storage.sql.exec(statement, ...values);
    const rows = cursor.toArray();
    cost.statements += 1;
    cost.rows += cursor.rowsRead;
    return rows;
  };
  return { db: { run } as unknown as Database, cost };
}

/** The first half has spent: the first the most, or the least. Every hundredth is suspended. */
function spend(storage: DurableObjectStorage, spentOf: (at: number) => number): void {
  for (let at = 0; at < SHARING; at += 1) {
    storage.sql.exec(
      "INSERT INTO pool_shares VALUES (?, ?, 1, 9000, ?, 0, ?, 1, NULL, ?, ?, 10, 0)",
      DAY,
      nameOf(at),
      spentOf(at),
      NOW + 200_000,
      NOW - 90_000,
      NOW - 90_000,
    );
  }
  storage.sql.exec("UPDATE promises SET suspended = 1 WHERE tenant LIKE '%00'");
}

interface Listed extends Cost {
  readonly ids: readonly string[];
  readonly sharing: readonly string[];
  readonly next: TenantPlace | null;
}

type List = (page: Omit<TenantPage, "sort">, filter?: Partial<TenantFilter>) => Listed;

/** Pages by what was spent. The costs are of both lists together. */
async function withLists(
  spentOf: (at: number) => number,
  look: (list: List) => void,
): Promise<void> {
  await known(MANY);
  await inAccount(({ storage }) => {
    spend(storage, spentOf);
    const { db, cost } = metered(storage);
    const cache = new PoolCache(new PoolStore(db), "paid");
    const lists = new TenantList(new TenantListStore(db), cache);
    cache.now(NOW);
    // It is read when the object starts.
    cache.pool(DAY);
    look((of, filter = {}) => {
      const before = { ...cost };
      const page: TenantPage = { sort: "spent", ...of };
      const rows = lists.list(page, { prefix: "", plan: null, state: null, ...filter }, NOW);
      const sharing = lists.sharing(page, NOW);
      return {
        ids: rows.items.map(({ id }) => id),
        sharing: sharing.items.map(({ id }) => id),
        next: rows.next,
        statements: cost.statements - before.statements,
        rows: cost.rows - before.rows,
      };
    });
  });
}

const names = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, at) => nameOf(from + at));

describe("a page of tenants by amount", () => {
  it.each([
    { limit: 1, seen: 1 },
    { limit: 25, seen: 1 },
    { limit: 200, seen: 1_500 },
  ])("of $limit reads at most two pages of those without one", async ({ limit, seen: least }) => {
    await withLists(
      (at) => SHARING - at,
      (list) => {
        const seen: string[] = [];
        // The last one with an amount is left, and all that have one come first by id.
        let after: TenantPlace | null = { amount: 2, id: nameOf(SHARING - 2) };
        for (let page = 0; page < 20; page += 1) {
          const border: Listed = list({ after, limit });
          seen.push(...border.ids);
          expect(border.sharing).toEqual(border.ids);
          // What the page shows is looked up one by one.
          expect(border.statements).toBeLessThanOrEqual(2 * limit + 5);
          // Each id is in two tables, for each of both lists, and read again where it is shown.
          expect(border.rows).toBeLessThanOrEqual(2 * (2 * limit + 2) * 2 + 2 * limit + 10);
          after = border.next;
        }
        expect(seen).toEqual(names(SHARING - 1, SHARING - 1 + seen.length));
        expect(seen.length).toBeGreaterThanOrEqual(least);
      },
    );
  });

  it("of a prefix looks up none of the others, whatever they have", async () => {
    await withLists(
      // Each is larger than all before it: in the order of the pool none can be left out.
      (at) => at + 1,
      (list) => {
        const none = list({ after: null, limit: 25 }, { prefix: "zz" });
        expect(none.ids).toEqual([]);
        expect(none.statements - 25).toBeLessThanOrEqual(5);
        expect(none.rows).toBeLessThanOrEqual(200);
        const some = list({ after: null, limit: 3 }, { prefix: "t-0012" });
        expect(some.ids).toEqual(["t-00129", "t-00128", "t-00127"]);
      },
    );
  });

  it("of a kind looks others up many at a time", async () => {
    await withLists(
      (at) => at + 1,
      (list) => {
        const suspended = list({ after: null, limit: 10 }, { state: "suspended" });
        expect(suspended.ids).toEqual(names(30, 40).map((_, at) => nameOf(3_900 - 100 * at)));
        expect(suspended.statements - 2 * 10).toBeLessThanOrEqual(10);
        // Forty of them have an amount: they were on pages before, and are left out of the next two.
        const seen: string[] = [];
        let after: TenantPlace | null = { amount: 1, id: nameOf(0) };
        for (let page = 0; page < 3; page += 1) {
          const border: Listed = list({ after, limit: 10 }, { state: "suspended" });
          seen.push(...border.ids);
          after = border.next;
        }
        expect(seen.length).toBeGreaterThanOrEqual(10);
        expect(seen).toEqual(seen.map((_, at) => nameOf(4_000 + 100 * at)));
      },
    );
  });
});
