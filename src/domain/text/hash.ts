// A hash of 32 bits for tables and random draws, not for secrets: FNV-1a over UTF-16 units with the final mix
// of MurmurHash3, since its low bits are poor without that. The text model's weights depend on it.

export const START = 0x811c9dc5;

/** Adds one unit. */
export const extend = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193);

export function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

export function hashOf(text: string): number {
  let hash = START;
  for (let at = 0; at < text.length; at += 1) hash = extend(hash, text.charCodeAt(at));
  return finish(hash);
}

/**
 * A random draw by the id alone, so that a repeated call draws the same. It uses a hash, since the ids of
 * one batch differ in their last characters only.
 *
 * @param share 0 to 1
 */
export const isSampled = (id: string, share: number): boolean => hashOf(id) / 2 ** 32 < share;
