import type { TenantPlace, TenantSort } from "../../domain/account/listed-tenant.ts";
import { TENANT_ID } from "../../http/authenticate.ts";
import { placeCursor, readPlaceCursor } from "./place-cursor.ts";

// `next_cursor` of the account's lists of tenants.

/** A cursor of one list, or of one order, is none of another. */
export interface TenantOrder {
  readonly list: "tenants" | "account_tenants" | "state" | "apply_tenants";
  readonly sort: TenantSort;
}

const nameOf = ({ list, sort }: TenantOrder): string => `${list} ${sort}`;

export const tenantCursor = (order: TenantOrder, { amount, id }: TenantPlace): string =>
  placeCursor(nameOf(order), [amount, id]);

/** Null: it is not a cursor of this list in this order. */
export function readTenantCursor(cursor: string, order: TenantOrder): TenantPlace | null {
  const place = readPlaceCursor(cursor, nameOf(order));
  if (place?.length !== 2) return null;
  const [amount, id] = place;
  if (typeof id !== "string" || !TENANT_ID.test(id)) return null;
  if (typeof amount !== "number" || !Number.isSafeInteger(amount) || amount < 0) return null;
  return order.sort === "id" && amount !== 0 ? null : { amount, id };
}
