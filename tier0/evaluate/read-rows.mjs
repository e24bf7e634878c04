import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const read = (/** @type {string} */ path) => {
  const bytes = readFileSync(path);
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
};

export const linesOf = (/** @type {string} */ path) =>
  read(path)
    .split(/\r?\n/)
    .filter((line) => line !== "");

export const jsonLinesOf = (/** @type {string} */ path) => linesOf(path).map((l) => JSON.parse(l));

export const jsonOf = (/** @type {string} */ path) => JSON.parse(read(path));

export const has = existsSync;

/**
 * Reads a CSV file (RFC 4180) with a header.
 *
 * @param {string} path
 * @returns {Record<string, string>[]}
 */
export function csvRowsOf(path) {
  const [header = [], ...rows] = recordsOf(read(path));
  return rows.map((row) => Object.fromEntries(header.map((name, at) => [name, row[at] ?? ""])));
}

function recordsOf(/** @type {string} */ text) {
  /** @type {string[][]} */
  const records = [];
  /** @type {string[]} */
  let record = [];
  let field = "";
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text[at];
    if (quoted) {
      if (unit !== '"') field += unit;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (unit === '"' && field === "") quoted = true;
    else if (unit === "," || unit === "\n") {
      record.push(field.replace(/\r$/, ""));
      field = "";
      if (unit === "\n") {
        records.push(record);
        record = [];
      }
    } else field += unit;
  }
  if (field !== "" || record.length > 0) records.push([...record, field]);
  return records;
}
