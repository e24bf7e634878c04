import type { TenantPlace, TenantSort } from "../../../src/domain/account/listed-tenant.ts";
import type { Amounts } from "../../../src/domain/account/day-pool.ts";

// Tenants in an order that can be continued anywhere: by id, or by the amount that they have of the day,
// the largest first. Those that have nothing come last, by id, and are read from the table, so that a page
// looks only at tenants that were active today.

export interface TenantPage {
  readonly sort: TenantSort;
  readonly after: TenantPlace | null;
  readonly limit: number;
}

/** The tenants to be ordered. */
export interface Listed {
  /** Amounts of those that have a share of the day. */
  readonly amounts: Iterable<readonly [string, Amounts]>;
  readonly amountsOf: (id: string) => Amounts;
  readonly accepts: (id: string) => boolean;
  /** All of them by id, with or without a share. */
  readonly idsAfter: (id: string, limit: number) => readonly string[];
}

/** One more than a page holds, where there is one. */
export function idsInOrder({ sort, after, limit }: TenantPage, listed: Listed): readonly string[] {
  if (sort === "id") return listed.idsAfter(after?.id ?? "", limit + 1);
  const hasNothing = after !== null && after.amount === 0;
  const ids = hasNothing ? [] : largest({ sort, after, limit }, listed).map(({ id }) => id);
  let last = hasNothing ? after.id : "";
  while (ids.length <= limit) {
    const some = listed.idsAfter(last, limit + 1);
    ids.push(...some.filter((id) => listed.amountsOf(id)[sort] <= 0));
    last = some.at(-1) ?? last;
    if (some.length <= limit) break;
  }
  return ids.slice(0, limit + 1);
}

/** The largest, in one pass that keeps two pages at most. */
function largest(
  { sort, after, limit }: TenantPage & { readonly sort: Exclude<TenantSort, "id"> },
  { amounts, accepts }: Listed,
): readonly TenantPlace[] {
  let kept: TenantPlace[] = [];
  let last: TenantPlace | undefined;
  const cut = (): void => {
    kept = kept.toSorted(inOrder).slice(0, limit + 1);
    last = kept.at(limit);
  };
  for (const [id, has] of amounts) {
    const place = { amount: has[sort], id };
    if (place.amount <= 0 || (after !== null && inOrder(place, after) <= 0)) continue;
    if ((last !== undefined && inOrder(place, last) > 0) || !accepts(id)) continue;
    kept.push(place);
    if (kept.length > 2 * limit) cut();
  }
  cut();
  return kept;
}

const inOrder = (a: TenantPlace, b: TenantPlace): number =>
  b.amount - a.amount || (a.id < b.id ? -1 : Number(a.id > b.id));
