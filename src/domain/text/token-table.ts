// Token ids of OpenAI's vocabulary cl100k_base, as text. Some clients tokenize by themselves and send
// ids; the models here have other vocabularies, so the text must be found again.

/**
 * The texts of a vocabulary's tokens, by id. The file: the number of tokens (little-endian, 32 bits),
 * the length of each in bytes (one byte), and the bytes of all of them.
 */
export class TokenTable {
  readonly #bytes: Uint8Array;
  /** Where each token begins in `#bytes`, and where the last ends. */
  readonly #starts: Uint32Array;

  private constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.#bytes = bytes;
    this.#starts = starts;
  }

  /** Null: the file is not such a table. */
  static read(file: ArrayBuffer): TokenTable | null {
    if (file.byteLength < 4) return null;
    const count = new DataView(file).getUint32(0, true);
    if (file.byteLength < 4 + count) return null;
    const lengths = new Uint8Array(file, 4, count);
    const starts = new Uint32Array(count + 1);
    for (const [id, length] of lengths.entries()) starts[id + 1] = (starts[id] ?? 0) + length;
    const bytes = new Uint8Array(file, 4 + count);
    return bytes.byteLength === starts[count] ? new TokenTable(bytes, starts) : null;
  }

  /**
   * The text of tokens. A list that was cut within a character begins or ends with U+FFFD.
   *
   * @param mostBytes of the text in UTF-8
   */
  decode(ids: readonly number[], mostBytes: number): DecodedTokens {
    let length = 0;
    for (const [index, id] of ids.entries()) {
      const [from, to] = [this.#starts[id], this.#starts[id + 1]];
      if (from === undefined || to === undefined) return { kind: "unknown_token", index };
      length += to - from;
      if (length > mostBytes) return { kind: "too_long" };
    }
    const text = new Uint8Array(length);
    let at = 0;
    for (const id of ids) {
      const end = this.#starts[id + 1] ?? 0;
      // Tokens are short: to copy them byte by byte is faster than to make a view of each.
      for (let from = this.#starts[id] ?? 0; from < end; from += 1) {
        text[at] = this.#bytes[from] ?? 0;
        at += 1;
      }
    }
    const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
    return { kind: "text", text: decoder.decode(text), bytes: length };
  }
}

export type DecodedTokens =
  | { readonly kind: "text"; readonly text: string; readonly bytes: number }
  /** No text belongs to the id at this index: it is a control token, or of another vocabulary. */
  | { readonly kind: "unknown_token"; readonly index: number }
  | { readonly kind: "too_long" };

/** OpenAI's names whose ids are those of cl100k_base, and the beginnings of dated and tuned ones. */
const CL100K =
  /^(?:text-embedding-(?:ada-002|3-small|3-large)|(?:ft:)?(?:davinci-002|babbage-002|gpt-4(?!o|\.)|gpt-3(?:\.|)5-turbo)(?:[-:].*)?)$/;

/** Whether the ids for a model of that name are known: the vocabulary belongs to the name. */
export const hasKnownTokens = (model: string): boolean => CL100K.test(model);
