// Letters of other scripts that look like Latin ones. A word with them is read as Latin only as a whole:
// genuine Russian and Greek words have other letters too.

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

// Lookalikes of Latin letters that the text model was not trained with: most of Unicode's confusables
// (https://www.unicode.org/reports/tr39/#Confusable_Detection). Scripts that are joined or written without
// spaces are left out (Arabic, Hebrew, Indic scripts, Burmese, Han): nobody spells a Latin word with them,
// and genuine texts mix them with Latin.

const LETTERS: readonly (readonly [latin: string, alike: string])[] = [
  ["a", "ᗅꓮ𐊠𖽀"],
  ["b", "ƀƃɓбѣҍᏼᗷꓐꞵꮟ𐊂𐊡𐌁"],
  ["c", "ȼҫⲥꓚ𐊢𐌂𐐽𐔜𑣩𑣲"],
  ["d", "ðƌɖɗᑯᗞᗪꓒꓓꭰꮷ"],
  ["e", "ɇҽҿⴹꓰꬲ𐊆𑣆𑣎"],
  ["f", "ϝᖴᵮẝꓝꞙꬵ𐊇𐊥𐔥𑣂"],
  ["g", "ƍǥɠԍᏻᶃꓖꮐ"],
  ["h", "ɦћңӈӊᏺᕼⱨⲏꓧꚕꮒ𐋏"],
  ["i", "ɨᵻᵼꙇꭵ𑣃"],
  ["j", "ɉʝϳᒍꓙꭻ"],
  ["k", "ƙқҟᛕⱪⲕꓗꝁꮶ𐔘"],
  ["l", "ƚǀɫɭӏᒪᛁⲓⳑⵏꓡꓲꮮ𐊊𐌉𐌠𐑃𐔦𑣒𖼖𖼨"],
  ["m", "ϻӎᗰᛖⲙꓟ𐊰𐌑"],
  ["n", "ƞɲɳռᵰⲛꓠ𐔓"],
  ["o", "ɵθѳөჿᴑⲟⴱⵁⵔꓳꝋꬽꬾꭴꮎꮻ𐊒𐊫𐐬𐓪𐔖𑣈𑣕𑣗𑣠"],
  ["p", "ƥᑭᵽⲣꓑ𐊕"],
  ["q", "ʠգզⵕ"],
  ["r", "ɍɼɽғᖇᴦᵲⲅꓣꭇꭈꭱꮁꮢ𐓜𖼵"],
  ["s", "ƽʂտᵴꓢꮥ𐊖𐑈𑣁𖼺"],
  ["t", "ƭʈҭᵵⱦⲧꓔꭲ𐊗𐊱𐌕𖼊"],
  ["u", "ʉʋᑌᵾꓴꞟꭎꭒꮜ𐓶𑣘𖽂"],
  ["v", "ᐯⴸꓦꮩ𐔝𑣀𖼈"],
  ["w", "ɯѽꓪꝡꮃꮤ𑣦𑣯"],
  ["x", "ҳᕁᕽᚷⲭⵝꓫꭓ𐊐𐊴𐌗𐌢𐔧𑣬"],
  ["y", "ƴɏɣүұყᶌỿⲩꓬꭚꭹꮍ𐊲𑣜𖽃"],
  ["z", "ƶȥʐᵶꓜꮓ𑣄𑣉𑣥"],
];

/** Signs that stand for letters within a word only: "fu¢k", not "5 ¢". */
const SIGNS: readonly (readonly [latin: string, alike: string])[] = [
  ["a", "⍺₳"],
  ["b", "฿"],
  ["c", "¢₡🝌"],
  ["d", "₫"],
  ["e", "€℮⋿"],
  ["g", "₲"],
  ["i", "⍳"],
  ["k", "₭"],
  ["l", "∣⏽￨│"],
  ["n", "₦∩"],
  ["o", "⊖⊝⍬"],
  ["p", "⍴₱"],
  ["s", "₴"],
  ["t", "₮⊤⟙"],
  ["u", "∪⋃"],
  ["v", "∨⋁"],
  ["w", "₩"],
  ["x", "×⤫⤬⨯╳"],
  ["y", "¥"],
];

/** Zeros of other scripts; they count as digits. */
const ZEROS = "߀०০੦૦୦௦౦೦൦๐໐၀٠۰";

/** Capitals whose small letter, which the normal form has, resembles another Latin letter. */
const CAPITALS: readonly (readonly [latin: string, capital: string])[] = [
  ["c", "Ϲ"],
  ["h", "Η"],
  ["m", "Μ"],
  ["n", "Ν"],
  ["y", "Υϒ"],
];

const byCharacter = (rows: readonly (readonly [string, string])[]): ReadonlyMap<string, string> =>
  new Map(rows.flatMap(([latin, alike]) => Array.from(alike, (one) => [one, latin] as const)));

const RARE_LETTERS = byCharacter(LETTERS);
export const LATIN_SIGNS = byCharacter(SIGNS);
export const LATIN_DIGITS = byCharacter([["o", ZEROS]]);
const LATIN_CAPITALS = byCharacter(CAPITALS);

/** Digits and signs that stand for letters. A 1 may be an i or an l, so it is not here. */
export const LEET: Readonly<Record<string, string>> = {
  "0": "o",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "8": "b",
  "9": "g",
  "@": "a",
  $: "s",
  "!": "i",
  "+": "t",
  "|": "l",
};
