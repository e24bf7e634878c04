// node development-logits.ts <work> <weights> <seed>: computes, as the product does, the logits of the
// exported weights for the development texts. Also for our sentences that must never be blocked and that
// were never trained on. points.py chooses by these.
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gunzipSync } from "node:zlib";
import { Tier0 } from "../src/tier0/tier0.ts";

const [work = "", weights = "", seed = "0"] = process.argv.slice(2);
const bytes = readFileSync(weights);
const model = Tier0.read(new Uint8Array(bytes).buffer);
if (model === null) throw new Error(`${weights} holds no weights of this format.`);

const write = (name: string, logits: readonly number[]) =>
  writeFileSync(join(work, name), new Uint8Array(Float32Array.from(logits).buffer));

const all: number[] = [];
for await (const line of createInterface({ input: createReadStream(join(work, "texts.jsonl")) })) {
  const { text, split } = JSON.parse(line) as { text: string; split: string };
  if (split === "development") all.push(...model.logits(text));
}
write(`development-${seed}.f32`, all);

const packed = readFileSync(new URL("development-sentences.json.gz", import.meta.url));
const sentences = JSON.parse(gunzipSync(packed).toString("utf8")) as Record<string, string[]>;
const logits = Object.values(sentences)
  .flat()
  .flatMap((text) => model.logits(text));
write(`never-blocked-${seed}.f32`, logits);
