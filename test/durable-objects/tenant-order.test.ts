import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TenantPlace, TenantSort } from "../../src/domain/account/listed-tenant.ts";
import { idsInOrder, type OrderedIds } from "../../durable-objects/account/tenants/tenant-order.ts";
import type { Amounts } from "../../src/domain/account/day-pool.ts";

const amountsOf = (spent: number): Amounts => ({
  granted: spent,
  spent,
  held: 0,
  leased: 0,
  reportedAtMs: 0,
});

interface Pages {
  readonly seen: readonly string[];
  /** Of the table: the ids that each page looked at. */
  readonly looked: readonly number[];
}

/** Every page, each after the one before. */
function allPages(tenants: ReadonlyMap<string, number>, sort: TenantSort, limit: number): Pages {
  const byId = [...tenants.keys()].toSorted();
  let count = 0;
  const listed = {
    amounts: () => [...tenants].filter(([, spent]) => spent > 0).map(toAmounts),
    amountsOf: (id: string) => amountsOf(tenants.get(id) ?? 0),
    accepted: (ids: readonly string[]) => ids.filter((id) => tenants.has(id)),
    idsAfter: (after: string, most: number) => {
      const found = byId.filter((id) => id > after).slice(0, most);
      count += found.length;
      return found;
    },
  };
  const seen: string[] = [];
  const looked: number[] = [];
  let after: TenantPlace | null = null;
  do {
    const page: OrderedIds = idsInOrder({ sort, after, limit }, listed);
    expect(page.ids.length).toBeLessThanOrEqual(limit);
    seen.push(...page.ids);
    looked.push(count);
    count = 0;
    after = page.next;
  } while (after !== null);
  return { seen, looked };
}

const toAmounts = ([id, spent]: [string, number]) => [id, amountsOf(spent)] as const;

describe("tenants in order", () => {
  it("are each on one page, the most first, equal ones and those without anything by id", () => {
    const tenants = fc.array(fc.tuple(fc.stringMatching(/^[a-c]{1,3}$/), fc.nat(4)));
    fc.assert(
      fc.property(tenants, fc.integer({ min: 1, max: 5 }), (drawn, limit) => {
        const known = new Map(drawn);
        const byId = [...known.keys()].toSorted();
        const most = byId.toSorted((a, b) => (known.get(b) ?? 0) - (known.get(a) ?? 0));
        expect(allPages(known, "spent", limit).seen).toEqual(most);
        expect(allPages(known, "held", limit).seen).toEqual(byId);
        expect(allPages(known, "id", limit).seen).toEqual(byId);
      }),
    );
  });

  it("look at twice a page of the table, and are few more pages than full ones", () => {
    const tenants = fc.array(fc.tuple(fc.stringMatching(/^[a-c]{1,4}$/), fc.nat(2)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(tenants, fc.integer({ min: 1, max: 5 }), (drawn, limit) => {
        const known = new Map(drawn);
        const { looked } = allPages(known, "spent", limit);
        expect(Math.max(...looked)).toBeLessThanOrEqual(2 * (limit + 1));
        const active = [...known.values()].filter((spent) => spent > 0).length;
        const full = Math.ceil(known.size / limit);
        expect(looked.length).toBeLessThanOrEqual(full + active / (limit + 1) + 2);
      }),
    );
  });
});
