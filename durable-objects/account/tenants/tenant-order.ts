import type { TenantPlace, TenantSort } from "../../../src/domain/account/listed-tenant.ts";
import type { Amounts } from "../../../src/domain/account/day-pool.ts";

// Tenants in an order that can be continued anywhere: by id, or by the amount that they have of the day,
// the largest first. Those that have nothing come last, by id, and are read from the table, so that a page
// looks only at tenants that were active today, and at twice a page of the others.

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

/** A page of ids, and the place behind which the next one begins; null: it was the last. */
export interface OrderedIds {
  readonly ids: readonly string[];
  readonly next: TenantPlace | null;
}

/** Each look at the largest takes so many times the tenants of the one before. */
const GROWTH = 4;

export function idsInOrder(page: TenantPage, listed: Listed): OrderedIds {
  const { sort, after, limit } = page;
  if (sort === "id") return pageIn(listed.idsAfter(after?.id ?? "", limit + 1), limit, () => 0);
  const amountOf = (id: string): number => Math.max(0, listed.amountsOf(id)[sort]);
  const hasNothing = after !== null && after.amount === 0;
  const ids = hasNothing ? [] : largest({ sort, after, limit }, listed);
  if (ids.length > limit) return pageIn(ids, limit, amountOf);
  return withoutAmount({ ids, last: hasNothing ? after.id : "" }, { limit, amountOf }, listed);
}

/**
 * Adds tenants that have nothing, by id. Of the table it reads twice a page at most: where most of these
 * tenants have an amount, and so were on pages before, the page is short, and the next one reads on.
 */
function withoutAmount(
  begun: { readonly ids: readonly string[]; readonly last: string },
  { limit, amountOf }: { readonly limit: number; readonly amountOf: (id: string) => number },
  { idsAfter }: Pick<Listed, "idsAfter">,
): OrderedIds {
  const ids = [...begun.ids];
  let { last } = begun;
  for (const most of [limit + 1, limit + 1]) {
    const some = idsAfter(last, most);
    ids.push(...some.filter((id) => amountOf(id) === 0));
    last = some.at(-1) ?? last;
    if (some.length < most || ids.length > limit) return pageIn(ids, limit, amountOf);
  }
  return { ids, next: { amount: 0, id: last } };
}

/** @param ids one more than a page holds, where there is one */
function pageIn(
  ids: readonly string[],
  limit: number,
  amountOf: (id: string) => number,
): OrderedIds {
  const shown = ids.slice(0, limit);
  const last = shown.at(-1);
  const isLast = ids.length <= limit || last === undefined;
  return { ids: shown, next: isLast ? null : { amount: amountOf(last), id: last } };
}

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
