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

export const RARE_LETTERS = byCharacter(LETTERS);
export const LATIN_SIGNS = byCharacter(SIGNS);
export const LATIN_DIGITS = byCharacter([["o", ZEROS]]);
export const LATIN_CAPITALS = byCharacter(CAPITALS);
