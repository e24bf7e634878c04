import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PoolCache } from "../../durable-objects/account/pool/pool-cache.ts";
import { PoolStore } from "../../durable-objects/account/pool/pool-store.ts";
import {
  type TenantFilter,
  TenantList,
} from "../../durable-objects/account/tenants/tenant-list.ts";
import { TenantListStore } from "../../durable-objects/account/tenants/tenant-list-store.ts";
import type { TenantPage } from "../../durable-objects/account/tenants/tenant-order.ts";
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

type List = (
  page: Omit<TenantPage, "sort">,
  filter?: Partial<TenantFilter>,
) => Cost & { readonly ids: readonly string[]; readonly sharing: readonly string[] };

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
        statements: cost.statements - before.statements,
        rows: cost.rows - before.rows,
      };
    });
  });
}

const names = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, at) => nameOf(from + at));

describe("a page of tenants by amount", () => {
  it.each([1, 25, 200])(
    "of %i reads the border to those without one in few steps",
    async (limit) => {
      await withLists(
        (at) => SHARING - at,
        (list) => {
          const after = { amount: 2, id: nameOf(SHARING - 2) };
          const border = list({ after, limit });
          expect(border.ids).toEqual(names(SHARING - 1, SHARING - 1 + limit));
          expect(border.sharing).toEqual(border.ids);
          // What the page shows is looked up one by one; before it a read takes 2,000 tenants.
          expect(border.statements - 2 * limit).toBeLessThanOrEqual(30);
          expect(border.rows).toBeLessThanOrEqual(5 * (SHARING + 4_000));
          const next = list({ after: { amount: 0, id: nameOf(SHARING) }, limit });
          expect(next.ids).toEqual(names(SHARING + 1, SHARING + 1 + limit));
          expect(next.statements).toBeLessThanOrEqual(2 * limit + 3);
          expect(next.rows).toBeLessThanOrEqual(10 * limit + 10);
        },
      );
    },
  );

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
        const all = list(
          { after: { amount: 1, id: nameOf(0) }, limit: 10 },
          { state: "suspended" },
        );
        expect(all.ids).toEqual(Array.from({ length: 10 }, (_, at) => nameOf(4_000 + 100 * at)));
      },
    );
  });
});
