// node bench/document-search.mjs [passages] [searches]
//
// How long a search over the passages of one tenant takes, through the server that `npm start` runs: the
// query's vector, the search in the shard, the passages, and the line of the ledger. Beside each search the
// same text is only embedded: what a governed call takes on this machine, as busy as it is. Each result is
// compared with a comparison of all vectors, one by one.
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { chunkText } from "../src/domain/search/chunk-text.ts";
import { cosine, unitVector } from "../src/domain/search/vector-code.ts";
import { hashedVector } from "../src/engines/embedded/embedding.ts";
import { say } from "./machine.mjs";
import { Started } from "./started.mjs";
import { quantile, round } from "./stats.mjs";
import { makeTenants } from "./tenants.mjs";

const PASSAGES = Number(process.argv[2] ?? 10_000);
const SEARCHES = Number(process.argv[3] ?? 200);
const TOP = 10;
/** As long as those of the model that the local embedding stands in for. */
const DIMENSIONS = 1024;
/** Less than the megabyte that a document may have. */
const DOCUMENT_CHARS = 900_000;

const WORDS =
  "river stone garden window letter market winter engine island paper music village copper forest " +
  "harbour bridge lantern machine kitchen orchard station journey valley thunder silver cotton " +
  "whistle pepper mirror saddle anchor timber candle meadow rocket ladder basket button compass";
const words = WORDS.split(" ");

let state = 7;
const draw = (/** @type {number} */ most) => {
  state = (state * 48_271) % 2_147_483_647;
  return state % most;
};

const sentence = () => {
  const some = Array.from({ length: 6 + draw(14) }, () => words[draw(words.length)]);
  return `The ${some.join(" ")} has number ${draw(100_000)}.`;
};

function documentOf(/** @type {number} */ chars) {
  const sentences = [];
  for (let length = 0; length < chars; length += sentences.at(-1)?.length ?? 0) {
    sentences.push(sentence());
  }
  return sentences.join(" ");
}

/** @param {string} key @param {string} path @param {object} body */
async function post(server, key, path, body) {
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 500)}`);
  return JSON.parse(text);
}

const unit = (/** @type {string} */ text) => {
  const vector = unitVector(hashedVector(text, DIMENSIONS));
  if (vector === null) throw new Error("a text without a vector");
  return vector;
};

const dir = mkdtempSync(join(tmpdir(), "neurogate-search-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
const server = new Started(dir);
await server.start();
const [key] = await makeTenants(server, ["reader"]);

/** @type {{ id: string, start: number, vector: Float32Array }[]} */
const all = [];
const embedMs = [];
while (all.length < PASSAGES) {
  const left = PASSAGES - all.length;
  const content = documentOf(Math.min(DOCUMENT_CHARS, left * 1050));
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  const { id } = await post(server, key, "/v1/documents", {
    type: "other",
    content,
    tasks: [],
  });
  const began = performance.now();
  // oxlint-disable-next-line no-await-in-loop
  const embedded = await post(server, key, `/v1/documents/${id}/embed`, {});
  embedMs.push(performance.now() - began);
  const chunks = chunkText(content);
  if (embedded.passages !== chunks.length) throw new Error("not all passages were embedded");
  for (const { start, end } of chunks) {
    all.push({ id, start, vector: unit(content.slice(start, end)) });
  }
}
say(`${all.length} passages in ${embedMs.length} documents`);
say(`embed: ${round(embedMs.reduce((a, b) => a + b, 0) / all.length)} ms a passage`);

const times = [];
const embeddings = [];
let found = 0;
let wanted = 0;
for (let search = 0; search < SEARCHES; search += 1) {
  const query = `${sentence()} ${sentence()}`;
  const began = performance.now();
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  const { data } = await post(server, key, "/v1/documents/search", { query, top_k: TOP });
  times.push(performance.now() - began);
  const begunAgain = performance.now();
  // oxlint-disable-next-line no-await-in-loop
  await post(server, key, "/v1/embeddings", { model: "@cf/baai/bge-m3", input: query });
  embeddings.push(performance.now() - begunAgain);
  const vector = unit(query);
  const scores = all.map((one) => cosine(one.vector, vector)).toSorted((a, b) => b - a);
  const least = scores[TOP - 1] ?? -Infinity;
  wanted += TOP;
  // A result counts if no more than the wanted number of passages is nearer.
  found += data.filter(
    (/** @type {{ score: number }} */ { score }) => score >= least - 1e-6,
  ).length;
}
say(`search: first ${round(times[0] ?? 0)} ms (the shard reads its vectors)`);
const shown = (/** @type {string} */ name, /** @type {number[]} */ values) =>
  say(
    `${name}: p50 ${round(quantile(values, 0.5))} ms, p95 ${round(quantile(values, 0.95))} ms, ` +
      `p99 ${round(quantile(values, 0.99))} ms over ${values.length} calls`,
  );
shown("search", times.slice(1));
shown("/v1/embeddings beside it", embeddings.slice(1));
say(
  `load of the machine: ${loadavg()
    .map((load) => round(load))
    .join(" ")}`,
);
say(`recall against brute force: ${round(found / wanted, 4)}`);
await server.stop();
