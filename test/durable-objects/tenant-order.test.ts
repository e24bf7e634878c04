import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TenantPlace, TenantSort } from "../../src/domain/account/listed-tenant.ts";
import { idsInOrder } from "../../durable-objects/account/tenants/tenant-order.ts";
import type { Amounts } from "../../src/domain/account/day-pool.ts";

const amountsOf = (spent: number): Amounts => ({
  granted: spent,
  spent,
  held: 0,
  leased: 0,
  reportedAtMs: 0,
});

/** Every page, each after the last of the one before. */
function allPages(tenants: ReadonlyMap<string, number>, sort: TenantSort, limit: number) {
  const byId = [...tenants.keys()].toSorted();
  const listed = {
    amounts: () => [...tenants].filter(([, spent]) => spent > 0).map(toAmounts),
    amountsOf: (id: string) => amountsOf(tenants.get(id) ?? 0),
    accepted: (ids: readonly string[]) => ids.filter((id) => tenants.has(id)),
    idsAfter: (after: string, most: number) => byId.filter((id) => id > after).slice(0, most),
  };
  const seen: string[] = [];
  let after: TenantPlace | null = null;
  for (let more = true; more;) {
    const ids: readonly string[] = idsInOrder({ sort, after, limit }, listed);
    const page = ids.slice(0, limit);
    seen.push(...page);
    more = ids.length > limit;
    const id = page.at(-1) ?? "";
    after = { amount: sort === "id" ? 0 : listed.amountsOf(id)[sort], id };
  }
  return seen;
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
        expect(allPages(known, "spent", limit)).toEqual(most);
        expect(allPages(known, "held", limit)).toEqual(byId);
        expect(allPages(known, "id", limit)).toEqual(byId);
      }),
    );
  });
});
