// Letters of other scripts that look like Latin ones. A word with them is read as Latin only as a whole:
// genuine Russian and Greek words have other letters too.
import { LATIN_CAPITALS, RARE_LETTERS } from "./rare-lookalikes.ts";

/** The lookalikes that the text model was trained with: changing them would change its readings of words. */
const PAIRS: readonly (readonly [string, string])[] = [
  ["а", "a"],
  ["е", "e"],
  ["о", "o"],
  ["р", "p"],
  ["с", "c"],
  ["у", "y"],
  ["х", "x"],
  ["і", "i"],
  ["ѕ", "s"],
  ["ј", "j"],
  ["ԁ", "d"],
  ["һ", "h"],
  ["к", "k"],
  ["м", "m"],
  ["т", "t"],
  ["в", "b"],
  ["н", "h"],
  ["г", "r"],
  ["п", "n"],
  ["ԛ", "q"],
  ["ԝ", "w"],
  ["ѡ", "w"],
  ["ѵ", "v"],
  ["ь", "b"],
  ["α", "a"],
  ["β", "b"],
  ["γ", "y"],
  ["ε", "e"],
  ["ζ", "z"],
  ["η", "n"],
  ["ι", "i"],
  ["κ", "k"],
  ["μ", "u"],
  ["ν", "v"],
  ["ο", "o"],
  ["ρ", "p"],
  ["σ", "o"],
  ["τ", "t"],
  ["υ", "u"],
  ["χ", "x"],
  ["ω", "w"],
  ["ց", "g"],
  ["ո", "n"],
  ["ս", "u"],
  ["օ", "o"],
  ["հ", "h"],
  ["ք", "p"],
  ["ա", "w"],
  ["ɡ", "g"],
  ["ı", "i"],
  ["ɩ", "i"],
  ["ɑ", "a"],
  ["ɐ", "a"],
  ["ə", "e"],
  ["ɛ", "e"],
  ["ɔ", "c"],
  ["ʏ", "y"],
  ["ɢ", "g"],
  ["ɪ", "i"],
  ["ɴ", "n"],
  ["ʀ", "r"],
  ["ʟ", "l"],
  ["ʜ", "h"],
  ["ʙ", "b"],
  ["ᴀ", "a"],
  ["ᴄ", "c"],
  ["ᴅ", "d"],
  ["ᴇ", "e"],
  ["ꜰ", "f"],
  ["ᴊ", "j"],
  ["ᴋ", "k"],
  ["ᴍ", "m"],
  ["ᴏ", "o"],
  ["ᴘ", "p"],
  ["ꞯ", "q"],
  ["ꜱ", "s"],
  ["ᴛ", "t"],
  ["ᴜ", "u"],
  ["ᴠ", "v"],
  ["ᴡ", "w"],
  ["ᴢ", "z"],
  ["ø", "o"],
  ["ł", "l"],
  ["đ", "d"],
  ["ħ", "h"],
  ["ŧ", "t"],
  ["ƒ", "f"],
  ["ƅ", "b"],
  ["ᖯ", "b"],
  ["ꭺ", "a"],
  ["ꭼ", "e"],
  ["ꮋ", "h"],
  ["ꮇ", "m"],
  ["ꮪ", "s"],
  ["ꮲ", "p"],
  ["ꮯ", "c"],
];

const LATIN: ReadonlyMap<string, string> = new Map(PAIRS);

/**
 * The word in Latin letters; null when it has no letter of another script, or one without a Latin lookalike.
 */
export function latinReading(word: string): string | null {
  let latin = "";
  let changed = false;
  for (const letter of word) {
    if (letter.charCodeAt(0) < 0x80) {
      latin += letter;
      continue;
    }
    const plain = LATIN.get(letter);
    if (plain === undefined) return null;
    latin += plain;
    changed = true;
  }
  return changed ? latin : null;
}

/** The Latin letter that a small letter of another script or shape resembles. */
export const latinLetter = (letter: string): string | undefined =>
  LATIN.get(letter) ?? RARE_LETTERS.get(letter);

/** The same for a capital that resembles another letter than its small letter does: Η is an h, η an n. */
export const latinCapital = (letter: string): string | undefined => LATIN_CAPITALS.get(letter);
