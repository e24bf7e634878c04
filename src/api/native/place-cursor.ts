// `next_cursor` of lists whose pages begin behind a place: the list's name and the place of the page's last
// row, as JSON in base64url. A page goes on behind that place, whatever changed since.

const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

type Place = readonly (string | number)[];

/** @param list its name, with the order or the groups of its rows */
export const placeCursor = (list: string, place: Place): string =>
  new TextEncoder().encode(JSON.stringify([list, ...place])).toBase64(BASE64URL);

/** The place in a cursor; null: this list did not make the cursor. The caller checks the place. */
export function readPlaceCursor(cursor: string, list: string): Place | null {
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const [of, ...place] = JSON.parse(text) as Place;
    return of === list && placeCursor(list, place) === cursor ? place : null;
  } catch {
    return null;
  }
}
