import type { TenantPlace, TenantSort } from "../../domain/account/listed-tenant.ts";
import { TENANT_ID } from "../../http/authenticate.ts";

// `next_cursor` of the account's lists of tenants: by what they are sorted and where the page's last one
// stood, as JSON in base64url. A page goes on behind that place, whatever changed since.

const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

export const tenantCursor = (sort: TenantSort, { amount, id }: TenantPlace): string =>
  new TextEncoder().encode(JSON.stringify([sort, amount, id])).toBase64(BASE64URL);

/** Null: we made none such for this order. */
export function readTenantCursor(cursor: string, sort: TenantSort): TenantPlace | null {
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const [, amount, id] = JSON.parse(text) as readonly unknown[];
    if (!Number.isSafeInteger(amount) || typeof id !== "string" || !TENANT_ID.test(id)) return null;
    const place = { amount: amount as number, id };
    return place.amount >= 0 && tenantCursor(sort, place) === cursor ? place : null;
  } catch {
    return null;
  }
}
