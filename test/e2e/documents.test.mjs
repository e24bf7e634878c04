// The commands of docs/documents.md, each run as it stands there.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { sharedServer } from "./server.mjs";

const PAGE = readFileSync(new URL("../../docs/documents.md", import.meta.url), "utf8");
const COMMANDS = [...PAGE.matchAll(/```sh\n([^]*?)```/g)].map(([, command]) => command);
const run = promisify(execFile);

const server = sharedServer();

test("every command of the page does what the page says", { timeout: 120_000 }, async () => {
  const key = await server.makeTenant("documents-page");
  const replies = [];
  for (const command of COMMANDS) {
    // oxlint-disable-next-line no-await-in-loop -- in the order of the page
    const { stdout } = await run(
      "bash",
      ["-ec", command.replaceAll("http://127.0.0.1:8787", server.url)],
      { env: { ...process.env, KEY: key } },
    );
    replies.push(stdout === "" ? null : JSON.parse(stdout));
  }
  const [first, read, page, minutes, deleted, list] = replies;
  assert.equal(COMMANDS.length, 6);
  assert.equal(first.object, "document");
  assert.deepEqual(
    first.tasks.map(({ task, state }) => [task, state]),
    ["summary", "key_points", "entities", "sentiment", "category", "action_items"].map((task) => [
      task,
      "done",
    ]),
  );
  assert.equal(first.results.category.label, "business");
  assert.ok(first.neurons < 60);
  assert.deepEqual(read.results, first.results);
  assert.match(read.text, /^Dear Tom/);
  assert.doesNotMatch(JSON.stringify(page), /track\(\)/);
  assert.ok(page.results.entities.some(({ value }) => value === "3000000 EUR"));
  assert.deepEqual(
    minutes.results.action_items.map(({ who, by_when }) => [who, by_when]),
    [["Tom", "Monday"]],
  );
  assert.equal(deleted, null);
  assert.deepEqual(
    list.data.map(({ id }) => id),
    [minutes.id],
  );
});
