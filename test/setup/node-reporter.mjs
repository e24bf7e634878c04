// A reporter of `node --test` that writes the skipped and the failed tests, a JSON object a line, for
// scripts/test.mjs.
import { relative } from "node:path";

/** @param {AsyncIterable<any>} events */
export default async function* nodeReporter(events) {
  for await (const { type, data } of events) {
    if (type === "test:pass" && data.skip !== undefined && data.skip !== false) {
      yield line({ kind: "skipped", name: data.name, reason: String(data.skip) });
    }
    // A test that failed only because tests in it did is not named: they are.
    if (
      type === "test:fail" &&
      data.details.error.failureType !== "subtestsFailed" &&
      !isTodo(data)
    ) {
      const file = relative(process.cwd(), data.file ?? "");
      // A file that does not load is reported as a test that is named as the file.
      const isFile = data.name === file || data.name === data.file;
      yield line({ kind: "failed", file, name: isFile ? "the file itself" : data.name });
    }
  }
}

const isTodo = (/** @type {any} */ { todo }) => todo !== undefined && todo !== false;

const line = (/** @type {object} */ value) => `${JSON.stringify(value)}\n`;
