// Packs OpenAI's published vocabulary cl100k_base into models/cl100k-1.bin, with which the Worker decodes
// token ids (src/domain/text/token-table.ts has the format). The vocabulary never changes, so this is run
// once. It reads the ranks of the package js-tiktoken (MIT), which nothing else here needs:
//
//   npm pack js-tiktoken@1.0.21 && tar xzf js-tiktoken-1.0.21.tgz
//   node scripts/build-token-table.mjs package/dist/ranks/cl100k_base.js
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [ranks] = process.argv.slice(2);
if (ranks === undefined) throw new Error("name the file of ranks");
const { default: published } = await import(pathToFileURL(resolve(ranks)).href);

/** Each line: a mark, the id of its first token, and its tokens in base64. */
const tokens = [];
for (const line of published.bpe_ranks.split("\n").filter(Boolean)) {
  const [, first, ...written] = line.split(" ");
  if (Number(first) !== tokens.length) throw new Error(`no token has the id ${tokens.length}`);
  tokens.push(...written.map((/** @type {string} */ token) => Buffer.from(token, "base64")));
}
const longest = Math.max(...tokens.map(({ length }) => length));
if (longest > 255) throw new Error(`a token of ${longest} bytes does not fit the format`);

const count = Buffer.alloc(4);
count.writeUInt32LE(tokens.length);
const packed = Buffer.concat([count, Buffer.from(tokens.map(({ length }) => length)), ...tokens]);
const target = fileURLToPath(new URL("../models/cl100k-1.bin", import.meta.url));
writeFileSync(target, packed);
const sha256 = createHash("sha256").update(packed).digest("hex");
console.log(`${target}: ${tokens.length} tokens, ${packed.length} bytes, SHA-256 ${sha256}`);
