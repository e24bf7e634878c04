// A reporter of vitest that writes the failed tests, and the errors that belong to no test, a JSON object a
// line, to the file that NEUROGATE_TEST_RESULTS names, for scripts/test.mjs.
import { writeFileSync } from "node:fs";

/** @typedef {import("vitest/node").TestModule} TestModule */

export default class VitestReporter {
  /**
   * @param {readonly TestModule[]} modules
   * @param {readonly { message?: string }[]} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    const failed = [
      ...modules.flatMap(failuresOf),
      ...unhandled.map(({ message }) => ({
        file: "",
        name: `unhandled error: ${firstLine(message)}`,
      })),
    ];
    const lines = failed.map((failure) => `${JSON.stringify({ kind: "failed", ...failure })}\n`);
    writeFileSync(process.env.NEUROGATE_TEST_RESULTS, lines.join(""));
  }
}

/** The failed tests of a file, and what failed in it outside of them: hooks, or the loading of the file. */
function failuresOf(/** @type {TestModule} */ module) {
  const file = module.relativeModuleId;
  const tests = [...module.children.allTests("failed")].map(({ fullName }) => fullName);
  const suites = [...module.children.allSuites()].filter((suite) => suite.errors().length > 0);
  const own = module.errors().map(({ message }) => `the file itself: ${firstLine(message)}`);
  return [...tests, ...suites.map(({ fullName }) => fullName), ...own].map((name) => ({
    file,
    name,
  }));
}

const firstLine = (/** @type {unknown} */ text) => String(text).split("\n")[0].slice(0, 160);
