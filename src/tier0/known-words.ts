// How much of a text the model can read: it was trained on English and does not judge a text of unknown
// words. The set of known words is a Bloom filter (Bloom 1970): about one foreign word in forty passes.
import { finish } from "../domain/text/hash.ts";
import { isWord, type Token } from "./token.ts";
import type { WordTable } from "./word-table.ts";

/** Bits set for each word. */
const PROBES = 5;

export interface KnownShare {
  /** Words, without numbers, addresses, mentions, emoji and signs. */
  readonly words: number;
  /** Those that are English, English words of abuse, or look like names. */
  readonly known: number;
  /** Whether the text has letters of any script. */
  readonly letters: boolean;
}

export class KnownWords {
  readonly #bits: Uint8Array;

  constructor(bits: Uint8Array) {
    this.#bits = bits;
  }

  /** @param hash the word's hash (`hash.ts`) */
  has(hash: number): boolean {
    const step = (finish(hash ^ SECOND) | 1) >>> 0;
    const size = this.#bits.length * 8;
    for (let probe = 0; probe < PROBES; probe += 1) {
      const bit = (hash + probe * step) % size;
      if ((((this.#bits[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 0) return false;
    }
    return true;
  }
}

/** Must equal the constant in the trainer's export. */
const SECOND = 0x9e3779b9;

const LETTER = /\p{L}/u;

export function knownShare(
  text: string,
  tokens: readonly Token[],
  { known, table }: { readonly known: KnownWords; readonly table: WordTable },
): KnownShare {
  let words = 0;
  let recognised = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined || !isWord(token.word) || token.word === "n't") continue;
    words += 1;
    const hash = table.hashOf(token.word, token.row);
    if (known.has(hash) || looksLikeName(text, tokens, at)) recognised += 1;
  }
  return { words, known: recognised, letters: LETTER.test(text) };
}

const CAPITALISED = /^\p{Lu}[\p{Ll}\p{M}]{1,40}$/u;
const CAPITALS = /^\p{Lu}/u;

/**
 * A capitalised word after a word without a capital. The second condition excludes texts with capitals
 * throughout; German nouns, which all have capitals, may still pass.
 */
function looksLikeName(text: string, tokens: readonly Token[], at: number): boolean {
  const token = tokens[at];
  const before = tokens[at - 1];
  if (token === undefined || before === undefined || !isWord(before.word)) return false;
  if (!CAPITALISED.test(text.slice(token.start, token.end))) return false;
  return !CAPITALS.test(text.slice(before.start, before.end));
}
