import { normalForm } from "../../domain/text/normal-form.ts";

// Letters of 5 x 7 dots, drawn for this project: capitals, digits and the signs of ASCII. A letter is
// seven rows of five bits, from the top, the leftmost dot the highest bit; in hexadecimal.

export const GLYPH_WIDTH = 5;
export const GLYPH_HEIGHT = 7;

const LETTERS: Readonly<Record<string, string>> = {
  A: "0E11111F111111",
  B: "1E11111E11111E",
  C: "0E11101010110E",
  D: "1E11111111111E",
  E: "1F10101E10101F",
  F: "1F10101E101010",
  G: "0E11101711110F",
  H: "1111111F111111",
  I: "0E04040404040E",
  J: "0702020202120C",
  K: "11121418141211",
  L: "1010101010101F",
  M: "111B1515111111",
  N: "11191513111111",
  O: "0E11111111110E",
  P: "1E11111E101010",
  Q: "0E11111115120D",
  R: "1E11111E141211",
  S: "0F10100E01011E",
  T: "1F040404040404",
  U: "1111111111110E",
  V: "11111111110A04",
  W: "11111115151B11",
  X: "11110A040A1111",
  Y: "11110A04040404",
  Z: "1F01020408101F",
  0: "0E11131519110E",
  1: "040C040404040E",
  2: "0E11010608101F",
  3: "1F02040201110E",
  4: "02060A121F0202",
  5: "1F101E0101110E",
  6: "0608101E11110E",
  7: "1F010204080808",
  8: "0E11110E11110E",
  9: "0E11110F01020C",
  " ": "00000000000000",
  "!": "04040404040004",
  '"': "0A0A0000000000",
  "#": "0A0A1F0A1F0A0A",
  $: "040F140E051E04",
  "%": "18190204081303",
  "&": "0814140815120D",
  "'": "04040000000000",
  "(": "02040808080402",
  ")": "08040202020408",
  "*": "0004150E150400",
  "+": "0004041F040400",
  ",": "00000000040408",
  "-": "0000001F000000",
  ".": "00000000000C0C",
  "/": "00010204081000",
  ":": "000C0C000C0C00",
  ";": "000C0C000C0408",
  "<": "02040810080402",
  "=": "00001F001F0000",
  ">": "08040201020408",
  "?": "0E110102040004",
  "@": "0E11171517100E",
  "[": "0E08080808080E",
  "\\": "00100804020100",
  "]": "0E02020202020E",
  "^": "040A1100000000",
  _: "0000000000001F",
  "`": "08040200000000",
  "{": "02040408040402",
  "|": "04040404040404",
  "}": "08040402040408",
  "~": "00000815020000",
};

/** A box, for a character that has no letter here. */
const UNKNOWN = "1F11111111111F";

/** The rows of a character of `printable`. */
export function glyphOf(character: string): readonly number[] {
  const hex = Object.hasOwn(LETTERS, character) ? (LETTERS[character] ?? UNKNOWN) : UNKNOWN;
  return [...Uint8Array.fromHex(hex)];
}

/** A text in capitals, without diacritics or line breaks: one glyph for each of its characters. */
export const printable = (text: string): string =>
  Array.from(normalForm(text, "NFKD").replace(/\p{M}/gu, "").toUpperCase().replace(/\s+/g, " "))
    .map((character) => (Object.hasOwn(LETTERS, character) ? character : "\u25a1"))
    .join("");
