// node features.ts <work>: turns the training texts into the numbers that the model reads, with the code
// of the product. Writes for the trainer:
//   ids, offsets      rows of the vocabulary; from its size on, words without a row
//   pieces            16 buckets for each of all words (0: none; others from 1)
//   buckets, spans    of the n-gram scorer: those of words first; `wordCounts` says how many
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  BEFORE_FIRST,
  eachLetterRun,
  MOST_PIECES,
  pairBucket,
  piecesOf,
  wordBucket,
} from "../src/tier0/vocabulary.ts";
import { hashOf } from "../src/domain/text/hash.ts";
import { tokenise } from "../src/tier0/tokenise.ts";

const work = process.argv[2] ?? "";
const { words, profane, aliases } = JSON.parse(
  readFileSync(join(work, "vocabulary.json"), "utf8"),
) as { words: string[]; profane: number; aliases: Record<string, string> };

/** Tokens of a text that training uses. */
const LONGEST = 256;

const rows = new Map(words.map((word, row) => [word, row]));
for (const [form, word] of Object.entries(aliases)) {
  if (!rows.has(form)) rows.set(form, rows.get(word) ?? -1);
}
const vocabulary = {
  rowOf: (word: string) => rows.get(word) ?? -1,
  isProfane: (row: number) => row >= 0 && row < profane,
  wordOf: (row: number) => (row < profane ? (words[row] ?? null) : null),
};
const hashes = words.map(hashOf);

class Numbers {
  #values = new Int32Array(1 << 22);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length] = value;
    this.length += 1;
  }

  write(name: string): void {
    writeFileSync(
      join(work, `${name}.i32`),
      new Uint8Array(this.#values.buffer, 0, this.length * 4),
    );
  }
}

const ids = new Numbers();
const offsets = new Numbers();
const buckets = new Numbers();
const spans = new Numbers();
const wordCounts = new Numbers();
const unknown = new Map<string, number>();
const pieces = words.map(piecesOf);

offsets.push(0);
spans.push(0);
for await (const line of createInterface({ input: createReadStream(join(work, "texts.jsonl")) })) {
  const { text } = JSON.parse(line) as { text: string };
  const tokens = tokenise(text, vocabulary).tokens.slice(0, LONGEST);
  let before = BEFORE_FIRST;
  for (const { word, row } of tokens) {
    let id = row;
    if (row < 0) {
      id = unknown.get(word) ?? words.length + unknown.size;
      if (!unknown.has(word)) {
        unknown.set(word, id);
        pieces.push(piecesOf(word));
      }
    }
    ids.push(id);
    const hash = hashes[row] ?? hashOf(word);
    buckets.push(wordBucket(hash));
    buckets.push(pairBucket(before, hash));
    before = hash;
  }
  wordCounts.push(tokens.length * 2);
  for (const token of tokens) eachLetterRun(token, (bucket) => buckets.push(bucket));
  offsets.push(ids.length);
  spans.push(buckets.length);
}
ids.write("ids");
offsets.write("offsets");
buckets.write("buckets");
spans.write("spans");
wordCounts.write("word-counts");
const table = new Int32Array(pieces.length * MOST_PIECES);
for (const [at, found] of pieces.entries()) {
  for (const [k, bucket] of found.entries()) table[at * MOST_PIECES + k] = bucket + 1;
}
writeFileSync(join(work, "pieces.i32"), new Uint8Array(table.buffer));
process.stdout.write(
  `${offsets.length - 1} texts, ${ids.length} tokens, ${unknown.size} unknown words\n`,
);
