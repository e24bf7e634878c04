import { ANY, type FormList, type Range, type StepBudget, lineOf, type Place } from "./term.ts";

// Terms with emoji. An emoji matches only as a whole: a heart is not found in the picture of a couple with
// one, nor a flag in two others. A term without a skin tone matches every tone; a term with a tone matches
// only that one.

/** Ends each emoji of a form, so that none is the beginning of another. */
const END = "\0";
/** Between emoji with other text between them. */
const BREAK = "\u0001";

export interface EmojiForm {
  /** The emoji of the term, one after the other. */
  readonly form: string;
  /** Whether skin tones must match. */
  readonly toned: boolean;
  /** Whether the term has only emoji and white space, which is ignored between emoji. */
  readonly alone: boolean;
}

const formOf = (signs: readonly string[]): string => signs.map((sign) => sign + END).join("");

/** The emoji of a term; null: it has none. */
export function emojiFormOf(term: string, isExact: boolean): EmojiForm | null {
  const signs = emojiIn(term).map(({ sign }) => sign);
  if (signs.length === 0) return null;
  const toned = isExact || signs.some((sign) => sign !== withoutTones(sign));
  return { form: formOf(signs), toned, alone: lineOf(withoutEmoji(term)).text.trim() === "" };
}

/** The emoji of a text. */
export class EmojiText {
  readonly #emoji: readonly Emoji[];
  readonly #original: string;
  readonly #lines = new Map<boolean, EmojiLine>();

  constructor(original: string) {
    this.#original = original;
    this.#emoji = emojiIn(original);
  }

  /** Whether the emoji at a place are those of the form. An emoji that the place cuts counts as a whole. */
  has({ form, toned }: EmojiForm, { start, end }: Place): boolean {
    let signs = "";
    for (let at = this.#firstBehind(start); at < this.#emoji.length; at += 1) {
      const emoji = this.#emoji[at];
      if (emoji === undefined || emoji.start >= end) break;
      signs += (toned ? emoji.sign : withoutTones(emoji.sign)) + END;
    }
    return signs === form;
  }

  /** Adds each place of the forms of a list. */
  find<T>(
    list: FormList<T>,
    toned: boolean,
    budget: StepBudget,
    add: (entry: T, place: Place) => void,
  ): void {
    if (list.isEmpty || this.#emoji.length === 0) return;
    const { text, at } = this.#lineOf(toned);
    for (const [first, { start }] of this.#emoji.entries()) {
      let range: Range | null = ANY;
      let last = first;
      for (let unit = at[first] ?? 0; range !== null && unit < text.length; unit += 1) {
        budget.take();
        const depth = unit - (at[first] ?? 0);
        range = list.next(text.charCodeAt(unit), depth, range);
        if (range === null || text[unit] !== END) continue;
        for (const entry of list.ending(depth + 1, range)) {
          add(entry, { start, end: this.#emoji[last]?.end ?? start });
        }
        last += 1;
      }
    }
  }

  /** The index of the first emoji that ends after a place. */
  #firstBehind(place: number): number {
    let low = 0;
    let high = this.#emoji.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#emoji[middle]?.end ?? 0) <= place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #lineOf(toned: boolean): EmojiLine {
    const known = this.#lines.get(toned) ?? emojiLineOf(this.#original, this.#emoji, toned);
    this.#lines.set(toned, known);
    return known;
  }
}

interface EmojiLine {
  readonly text: string;
  /** Where each emoji begins in `text`. */
  readonly at: Int32Array;
}

function emojiLineOf(original: string, emoji: readonly Emoji[], toned: boolean): EmojiLine {
  const at = new Int32Array(emoji.length);
  let text = "";
  let behind = 0;
  for (const [index, { start, end, sign }] of emoji.entries()) {
    if (start > behind && lineOf(original.slice(behind, start)).text.trim() !== "") text += BREAK;
    at[index] = text.length;
    text += (toned ? sign : withoutTones(sign)) + END;
    behind = end;
  }
  return { text, at };
}

// Emoji as a reader counts them: a family is one emoji, and so is a flag, a keycap, or a hand with its skin
// tone (https://www.unicode.org/reports/tr51/#EBNF_and_Regex). Regional indicators pair from the left, so
// that two adjacent flags have no third one between them.

interface Emoji {
  /** The place in the text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** Without variation selectors, which change how it is drawn and not what it is. */
  readonly sign: string;
}

const SELECTORS = "[\\u{FE0E}\\u{FE0F}]*";
const KEYCAP = `[0-9#*]${SELECTORS}\\u{20E3}`;
const FLAG = "\\p{Regional_Indicator}{2}";
/** England's flag: a black one with invisible letters. No region has a longer name. */
const TAGS = "[\\u{E0020}-\\u{E007E}]{1,16}\\u{E007F}";
const PICTURE =
  `(?![0-9#*])[\\p{Emoji}\\p{Extended_Pictographic}]${SELECTORS}` +
  `(?:\\p{Emoji_Modifier}${SELECTORS})?\\u{20E3}?(?:${TAGS})?`;
const JOINED = `(?:${PICTURE})(?:\\u{200D}(?:${PICTURE}))*`;

const EMOJI = new RegExp(`${KEYCAP}|${FLAG}|${JOINED}`, "gu");
const SELECTOR = /[\u{FE0E}\u{FE0F}]/gu;
const TONE = /\p{Emoji_Modifier}/gu;
const ONLY_TONES = /^\p{Emoji_Modifier}+$/u;

/** The emoji of a text in their order, in linear time. */
const emojiIn = (text: string): Emoji[] =>
  Array.from(text.matchAll(EMOJI), ({ index, 0: written }) => ({
    start: index,
    end: index + written.length,
    sign: written.replace(SELECTOR, ""),
  }));

const withoutEmoji = (text: string): string => text.replace(EMOJI, "");

/** The sign without skin tones. A tone alone is a sign of its own. */
const withoutTones = (sign: string): string =>
  ONLY_TONES.test(sign) ? sign : sign.replace(TONE, "");
