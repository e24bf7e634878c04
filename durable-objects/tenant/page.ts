import type { LookupFailure } from "../../src/domain/ledger/failure.ts";

export interface Page<Item> {
  readonly kind: "page";
  readonly data: readonly Item[];
  readonly more: boolean;
}

/** Stores read one row more than is wanted, to know whether there is more. */
export const pageOf = <Item>(rows: readonly Item[], limit: number): Page<Item> => ({
  kind: "page",
  data: rows.slice(0, limit),
  more: rows.length > limit,
});

export const notFound = (what: string): Extract<LookupFailure, { kind: "not_found" }> => ({
  kind: "not_found",
  what,
});
