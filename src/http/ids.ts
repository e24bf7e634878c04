import { ulid } from "ulid";

// An id is a prefix for its kind and a ULID, so ids sort by time. None has a dot: Standard Webhooks joins
// the id and the body with one before signing.

/** The kinds of ids. `modr` is OpenAI's own prefix, with OpenAI's own hyphen. */
const SEPARATORS = {
  vrd: "_",
  key: "_",
  req: "_",
  evt: "_",
  whk: "_",
  dlv: "_",
  bat: "_",
  run: "_",
  grt: "_",
  jnl: "_",
  img: "_",
  doc: "_",
  era: "_",
  ses: "_",
  vec: "_",
  sug: "_",
  modr: "-",
} as const;

export type IdPrefix = keyof typeof SEPARATORS;

export type Id<P extends IdPrefix = IdPrefix> = `${P}${(typeof SEPARATORS)[P]}${string}`;

/** 48 bits of time and 80 of chance, in Crockford's digits. */
const ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}";

/** The form of all ids of a kind. */
export const idForm = (prefix: IdPrefix): RegExp =>
  new RegExp(`^${prefix}${SEPARATORS[prefix]}${ULID}$`);

/** Random bytes for many ids: an id takes 16, and a call for each byte costs fifty times as much. */
const pool = new Uint8Array(256);
let used = pool.length;

/** Passed explicitly: the package's own choice of a source depends on how it was bundled. */
function random(): number {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const byte = pool[used] ?? 0;
  used += 1;
  return byte / 256;
}

/** `newId("req")` is `"req_01M7WM9VDG3WVTE8T1RYS3AM18"`. Ids of one millisecond are in no order. */
export function newId<P extends IdPrefix>(prefix: P): Id<P> {
  return `${prefix}${SEPARATORS[prefix]}${ulid(undefined, random)}`;
}
