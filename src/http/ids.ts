import { ulid } from "ulid";

// Ids are a prefix that says what they name and a ULID, so they sort by time. None has a dot:
// Standard Webhooks joins the id and the body with one before signing.

/** What ids name here. `modr` is OpenAI's own prefix, with OpenAI's own hyphen. */
const SEPARATORS = {
  vrd: "_",
  key: "_",
  req: "_",
  evt: "_",
  whk: "_",
  dlv: "_",
  bat: "_",
  grt: "_",
  jnl: "_",
  img: "_",
  era: "_",
  modr: "-",
} as const;

export type IdPrefix = keyof typeof SEPARATORS;

export type Id<P extends IdPrefix = IdPrefix> = `${P}${(typeof SEPARATORS)[P]}${string}`;

/** Drawn together: an id takes 16 bytes, and asking for each alone costs fifty times as much. */
const pool = new Uint8Array(256);
let taken = pool.length;

/** Given explicitly: which source the package would pick depends on how it was bundled. */
function random(): number {
  if (taken === pool.length) {
    crypto.getRandomValues(pool);
    taken = 0;
  }
  const byte = pool[taken] ?? 0;
  taken += 1;
  return byte / 256;
}

/** `newId("req")` is `"req_01M7WM9VDG3WVTE8T1RYS3AM18"`. Ids of one millisecond are in no order. */
export function newId<P extends IdPrefix>(prefix: P): Id<P> {
  return `${prefix}${SEPARATORS[prefix]}${ulid(undefined, random)}`;
}
