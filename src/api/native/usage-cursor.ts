import type { GroupKey } from "../../domain/usage/usage-report.ts";

// `next_cursor` of a usage report: what its rows are grouped by and the key of the page's last row, as
// JSON in base64url. A page goes on behind that key, whatever was written since.

const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

/** A user's id of 256 characters, a model three times, and what JSON adds. */
export const MAX_CURSOR = 4096;

export const usageCursor = (
  groupBy: readonly GroupKey[],
  place: readonly (string | number)[],
): string =>
  new TextEncoder().encode(JSON.stringify([groupBy.join(","), ...place])).toBase64(BASE64URL);

/** The key that it holds; null: we made none such for these rows. */
export function readUsageCursor(
  cursor: string,
  groupBy: readonly GroupKey[],
): readonly (string | number)[] | null {
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    const [of, ...place] = JSON.parse(
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
    ) as (string | number)[];
    return of === groupBy.join(",") && usageCursor(groupBy, place) === cursor ? place : null;
  } catch {
    return null;
  }
}
