// Classes of the units of a normalised text. They use ranges instead of Unicode tables, since every unit is
// tested, and an unassigned code point may be in any class.

export const isLatinLetter = (unit: number): boolean => unit >= 97 && unit <= 122;

export const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57;

/** Letters of every script, with the marks that normalisation kept on them. Surrogates are excluded. */
export const isLetter = (unit: number): boolean =>
  isLatinLetter(unit) ||
  unit === 0xaa ||
  unit === 0xba ||
  (unit > 0xbf && unit < 0x2000 && unit !== 0xd7 && unit !== 0xf7) ||
  (unit >= 0x2c00 && unit < 0x2e00) ||
  (unit >= 0x3040 && unit < 0xd800) ||
  (unit >= 0xf900 && unit < 0xfe00);

/** Emoji, arrows, dingbats. */
export const isEmoji = (code: number): boolean =>
  (code >= 0x1f000 && code < 0x20000) ||
  (code >= 0x2190 && code < 0x2200) ||
  (code >= 0x2300 && code < 0x2c00) ||
  code === 0x3030;
