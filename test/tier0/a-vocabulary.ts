import type { Vocabulary } from "../../src/tier0/vocabulary.ts";

/** A few mild words; it counts how often it was asked. */
export class CountingVocabulary implements Vocabulary {
  asked = 0;
  readonly #rows: ReadonlyMap<string, number>;
  readonly #abuse: readonly string[];

  /** @param spellings what stands for a word of abuse */
  constructor(
    abuse: readonly string[],
    others: readonly string[],
    spellings: Readonly<Record<string, string>> = {},
  ) {
    this.#abuse = abuse;
    this.#rows = new Map([
      ...[...abuse, ...others].map((word, row) => [word, row] as const),
      ...Object.entries(spellings).map(([form, word]) => [form, abuse.indexOf(word)] as const),
    ]);
  }

  rowOf(word: string): number {
    this.asked += 1;
    return this.#rows.get(word) ?? -1;
  }

  isProfane(row: number): boolean {
    return row >= 0 && row < this.#abuse.length;
  }

  wordOf(row: number): string | null {
    return this.#abuse[row] ?? null;
  }
}

export const aVocabulary = (): CountingVocabulary =>
  new CountingVocabulary(
    ["idiot", "fool", "stupid", "damn", "loser"],
    "you are an a is do can will n't not hello stop now class well known i it the ! ? . sit".split(
      " ",
    ),
    { "id*ot": "idiot" },
  );
