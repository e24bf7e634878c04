// node count-words.ts <work>: counts each word in the training texts, as the product would read them if it
// knew every word of GloVe.
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { tokenise } from "../src/tier0/tokenise.ts";

const work = process.argv[2] ?? "";
const read = (name: string) => JSON.parse(readFileSync(join(work, name), "utf8")) as string[];

/** Rarer words of GloVe have marks and digits, which our words never have. */
const FREQUENT = 200_000;

const profane = read("profane.json");
const glove = read("glove-words.json");
const words = new Set([
  ...profane,
  ...glove.slice(0, FREQUENT),
  ...glove.slice(FREQUENT).filter((word) => /^[a-z]{3,}$/.test(word)),
]);
const rows = new Map([...words].map((word, row) => [word, row]));
const vocabulary = {
  rowOf: (word: string) => rows.get(word) ?? -1,
  isProfane: (row: number) => row >= 0 && row < profane.length,
  wordOf: (row: number) => profane[row] ?? null,
};

const counts = new Map<string, number>();
for await (const line of createInterface({ input: createReadStream(join(work, "texts.jsonl")) })) {
  const { text, split } = JSON.parse(line) as { text: string; split: string };
  if (split !== "train") continue;
  const distinct = new Set(tokenise(text, vocabulary).tokens.map((token) => token.word));
  for (const word of distinct) counts.set(word, (counts.get(word) ?? 0) + 1);
}
const frequent = [...counts].filter(([, count]) => count > 1).toSorted((a, b) => b[1] - a[1]);
writeFileSync(join(work, "counts.json"), JSON.stringify(frequent));
