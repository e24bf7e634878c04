// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
// The end of the output of `npm test`: the failed tests of both runners, read from what failing runs wrote.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { failureLines, readResults } from "../../scripts/test-results.mjs";

const fromRoot = (/** @type {string} */ path) =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "neurogate-results-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the files, runs Node among them, and gives the lines of failures and the skipped tests. */
function linesOf({ title, files, args }) {
  const place = join(folder, title);
  const written = join(folder, `${title}.results`);
  mkdirSync(place);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text);
  // `node --test` within a test would report to the outer one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status } = spawnSync(process.execPath, args(written), {
    cwd: place,
    env: { ...env, NEUROGATE_TEST_RESULTS: written },
  });
  const results = readResults(written);
  return { lines: failureLines([{ title, code: status, results }]), results };
}

describe("the list of failed tests", () => {
  it("names the failed tests of node:test, and the skipped ones apart", () => {
    const { lines, results } = linesOf({
      title: "e2e",
      files: {
        "a.test.mjs": `import { describe, it } from "node:test";
          describe("a suite", () => {
            it("fails", () => { throw new Error("no"); });
            it("passes", () => {});
            it("waits", { skip: "no network" }, () => {});
            it("will come", { todo: true }, () => { throw new Error("not yet"); });
          });`,
        "b.test.mjs": `throw new Error("does not load");`,
      },
      args: (written) => [
        "--test",
        `--test-reporter=${fromRoot("test/setup/node-reporter.mjs")}`,
        `--test-reporter-destination=${written}`,
        "a.test.mjs",
        "b.test.mjs",
      ],
    });
    assert.deepEqual(lines.toSorted(), [
      "Failed: e2e: a.test.mjs > fails",
      "Failed: e2e: b.test.mjs > the file itself",
    ]);
    const skipped = results.filter(({ kind }) => kind === "skipped");
    assert.deepEqual(skipped, [{ kind: "skipped", name: "waits", reason: "no network" }]);
  });

  it("names the failed tests of vitest, and the errors outside of them", () => {
    const vitest = createRequire(import.meta.url).resolve("vitest/package.json");
    const { lines } = linesOf({
      title: "unit",
      files: {
        "a.test.js": `describe("a suite", () => {
            it("fails", () => { throw new Error("no"); });
            it("passes", () => { setTimeout(() => { throw new Error("nobody waits"); }); });
            it("ends", () => new Promise((resolve) => { setTimeout(resolve, 50); }));
          });
          describe("a hook", () => {
            beforeAll(() => { throw new Error("no start"); });
            it("is not run", () => {});
          });`,
        "vitest.config.js": "export default { test: { globals: true } };",
        "b.test.js": `throw new Error("does not load");`,
      },
      args: () => [
        join(dirname(vitest), "vitest.mjs"),
        "run",
        `--reporter=${fromRoot("test/setup/vitest-reporter.mjs")}`,
      ],
    });
    assert.deepEqual(lines.toSorted(), [
      "Failed: unit: a.test.js > a hook",
      "Failed: unit: a.test.js > a suite > fails",
      "Failed: unit: b.test.js > the file itself: does not load",
      "Failed: unit: unhandled error: nobody waits",
    ]);
  });

  it("says that a run failed without a failed test", () => {
    const nothing = { title: "unit", results: readResults(join(folder, "never-written")) };
    assert.deepEqual(failureLines([{ ...nothing, code: 1 }]), [
      "FAILED: unit: no test failed, but the run ended with code 1",
    ]);
    assert.deepEqual(failureLines([{ ...nothing, code: 0 }]), []);
  });

  it("names twenty failures, and counts the others", () => {
    const results = Array.from({ length: 23 }, (_, at) => ({
      kind: "failed",
      file: "a.test.ts",
      name: `${at}`,
    }));
    const lines = failureLines([{ title: "unit", code: 1, results }]);
    assert.equal(lines.length, 21);
    assert.equal(lines[19], "Failed: unit: a.test.ts > 19");
    assert.equal(lines[20], "and 3 others");
  });
});
