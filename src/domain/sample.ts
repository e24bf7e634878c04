// A lot for each thing that has an id: what is drawn depends on the random end of the id alone, so that a
// repeated call draws the same.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Characters of a ULID's 80 random bits: eight of them are 40, enough for any share. */
const DRAWN = 8;

/**
 * @param id ends with a ULID
 * @param share 0 to 1
 */
export function isSampled(id: string, share: number): boolean {
  let lot = 0;
  for (const character of id.slice(-DRAWN))
    lot = lot * 32 + Math.max(0, ALPHABET.indexOf(character));
  return lot / 32 ** DRAWN < share;
}
