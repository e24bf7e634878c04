// The examples of docs/search.md, run as they stand there, against a server.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { sharedServer } from "./server.mjs";

const PAGE = readFileSync(fileURLToPath(new URL("../../docs/search.md", import.meta.url)), "utf8");

const server = sharedServer();
let key = "";
before(async () => {
  key = await server.makeTenant("search-examples");
});

/** In the order of the page. The first one tells where the server is. */
const [setting, ...examples] = [...PAGE.matchAll(/```sh\n([^]*?)```/g)].map(
  ([, code = ""]) => code,
);

/** @returns {Promise<any>} what it printed, as JSON */
const run = (code) =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, NEUROGATE_URL: server.url, NEUROGATE_KEY: key };
    execFile("bash", ["-euo", "pipefail", "-c", code], { env }, (failed, out, error) => {
      if (failed !== null) return reject(new Error(`${code}\n${error}`));
      return resolve(JSON.parse(out));
    });
  });

test("the page tells first which settings its examples use", () => {
  const named = [...(setting ?? "").matchAll(/export (\w+)=/g)].map(([, name]) => name);
  assert.deepEqual(named, ["NEUROGATE_URL", "NEUROGATE_KEY"]);
  assert.equal(examples.length, 4);
});

test("the examples of docs/search.md give what the page says", async () => {
  const [store, embed, search, answer] = examples;
  const stored = await run(store);
  assert.equal(stored.id, "doc_lease");
  assert.deepEqual([stored.search.state, stored.search.passages], ["ready", 1]);
  const again = await run(embed);
  assert.deepEqual([again.passages, again.journal_line_id, again.micro_neurons], [1, null, 0]);
  const found = await run(search);
  assert.deepEqual(
    found.data.map((result) => result.document_id),
    ["doc_lease"],
  );
  assert.equal(found.reranked, "yes");
  assert.equal(found.embedding_model, "neurogate/hashing@1");
  const answered = await run(answer);
  assert.equal(answered.end, "answered");
  assert.equal(answered.answer, "The lease of the workshop ends on 2027-03-31.");
  const [{ citations }] = answered.statements;
  assert.deepEqual(
    citations.map((citation) => [citation.document_id, citation.start]),
    [["doc_lease", 0]],
  );
});
