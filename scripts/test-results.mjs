// The results of the runs of scripts/test.mjs: the lines that the reporters in test/setup/ wrote, and the
// list of failures at the end of the output.
import { existsSync, readFileSync } from "node:fs";

/** So many failures are named; of the others only the number is said. */
const MOST_NAMED = 20;

/**
 * @typedef {{ kind: "skipped", name: string, reason: string }} Skipped
 * @typedef {{ kind: "failed", file: string, name: string }} Failed
 * @typedef {{ title: string, code: number | null, results: (Skipped | Failed)[] }} Run
 */

/**
 * The results in a reporter's file. There are none if its run ended before the reporter wrote.
 * @returns {(Skipped | Failed)[]}
 */
export function readResults(/** @type {string} */ path) {
  if (!existsSync(path)) return [];
  // A run that was killed may leave half a line.
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

/** A line for each failed test, and for each run that failed although none of its tests did. */
export function failureLines(/** @type {readonly Run[]} */ runs) {
  const lines = runs.flatMap(({ title, code, results }) => {
    const failed = results.filter(({ kind }) => kind === "failed");
    if (failed.length === 0 && code !== 0) {
      return [`FAILED: ${title}: no test failed, but the run ended with code ${code}`];
    }
    return failed.map(
      ({ file, name }) => `Failed: ${title}: ${file === "" ? "" : `${file} > `}${name}`,
    );
  });
  const others = lines.length - MOST_NAMED;
  return others > 0 ? [...lines.slice(0, MOST_NAMED), `and ${others} others`] : lines;
}
