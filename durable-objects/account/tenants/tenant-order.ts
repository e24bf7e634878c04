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
  /** Amounts of those that have a share of the day and may be on the list, from memory. */
  readonly amounts: () => Iterable<readonly [string, Amounts]>;
  readonly amountsOf: (id: string) => Amounts;
  /** Those of these ids that are on the list, in the same order. */
  readonly accepted: (ids: readonly string[]) => readonly string[];
  /** All of them by id, with or without a share. */
  readonly idsAfter: (id: string, limit: number) => readonly string[];
}

/** Each read takes so many times the ids of the one before, up to `MOST_IDS`: many need few statements. */
const GROWTH = 4;
const MOST_IDS = 2_000;

/** One more than a page holds, where there is one. */
export function idsInOrder({ sort, after, limit }: TenantPage, listed: Listed): readonly string[] {
  if (sort === "id") return listed.idsAfter(after?.id ?? "", limit + 1);
  const hasNothing = after !== null && after.amount === 0;
  const ids = hasNothing ? [] : largest({ sort, after, limit }, listed);
  let last = hasNothing ? after.id : "";
  for (let most = limit + 1; ids.length <= limit; most = grown(most)) {
    const some = listed.idsAfter(last, most);
    ids.push(...some.filter((id) => listed.amountsOf(id)[sort] <= 0));
    last = some.at(-1) ?? last;
    if (some.length < most) break;
  }
  return ids.slice(0, limit + 1);
}

const grown = (most: number): number => Math.min(most * GROWTH, Math.max(most, MOST_IDS));

type ByAmount = TenantPage & { readonly sort: Exclude<TenantSort, "id"> };

/** Those with the largest amounts: of few it is looked up whether they are on the list. */
function largest({ sort, after, limit }: ByAmount, { amounts, accepted }: Listed): string[] {
  const found: string[] = [];
  let from = after;
  for (let most = limit + 1; found.length <= limit; most *= GROWTH) {
    const some = largestOf(amounts(), { sort, after: from, limit: most });
    found.push(...accepted(some.map(({ id }) => id)));
    from = some.at(-1) ?? from;
    if (some.length < most) break;
  }
  return found;
}

/** The largest, at most `limit`, in one pass that keeps twice as many at most. */
function largestOf(
  amounts: Iterable<readonly [string, Amounts]>,
  { sort, after, limit }: ByAmount,
): readonly TenantPlace[] {
  let kept: TenantPlace[] = [];
  let last: TenantPlace | undefined;
  const cut = (): void => {
    kept = kept.toSorted(inOrder).slice(0, limit);
    last = kept.at(limit - 1);
  };
  for (const [id, has] of amounts) {
    const place = { amount: has[sort], id };
    if (place.amount <= 0 || (after !== null && inOrder(place, after) <= 0)) continue;
    if (last !== undefined && inOrder(place, last) > 0) continue;
    kept.push(place);
    if (kept.length > 2 * limit) cut();
  }
  cut();
  return kept;
}

const inOrder = (a: TenantPlace, b: TenantPlace): number =>
  b.amount - a.amount || (a.id < b.id ? -1 : Number(a.id > b.id));
