// Checks of the shipped bundle: the licences of the runtime dependencies, their known holes, its size.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { ROOT } from "../faults/workerd.mjs";

/** SPDX ids of licences that require only attribution. */
const ALLOWED = new Set([
  "MIT",
  "MIT-0",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "ISC",
  "CC0-1.0",
  "CC-BY-4.0",
  "CC-BY-3.0",
  "Unlicense",
  "BlueOak-1.0.0",
]);

/** The free plan of Workers accepts 3 MB, compressed. */
const MAX_GZIP_BYTES = 3_000_000;

/** The registry may be slow or unreachable. */
const AUDIT_MS = 30_000;

const read = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Whether an SPDX expression is allowed: `A OR B` needs one allowed licence, `A AND B` both. */
const isAllowed = (licence) =>
  licence
    .replace(/[()]/g, "")
    .split(" OR ")
    .some((choice) => choice.split(" AND ").every((id) => ALLOWED.has(id.trim())));

/** Every package that runs in the Worker, with its dependencies. */
export function licences() {
  const found = new Map();
  const waiting = Object.keys(read(join(ROOT, "package.json")).dependencies).map((name) => ({
    name,
    from: ROOT,
  }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { name, from } = next;
    const nested = join(from, "node_modules", name);
    const folder = existsSync(nested) ? nested : join(ROOT, "node_modules", name);
    const { version, license: licence, dependencies = {} } = read(join(folder, "package.json"));
    const id = `${name}@${version}`;
    if (found.has(id)) continue;
    const text = typeof licence === "string" ? licence : "none";
    assert.ok(isAllowed(text), `${id} has the licence ${text}`);
    found.set(id, text);
    waiting.push(...Object.keys(dependencies).map((each) => ({ name: each, from: folder })));
  }
  return found;
}

/** The result of `npm audit` in words, or why there is none. */
export async function audit() {
  const args = ["audit", "--omit=dev", "--json"];
  const done = await promisify(execFile)("npm", args, { cwd: ROOT, timeout: AUDIT_MS }).catch(
    (error) => error,
  );
  let report;
  try {
    report = JSON.parse(done.stdout);
  } catch {
    return "skipped: npm audit gave no report";
  }
  const counts = report.metadata?.vulnerabilities;
  if (counts === undefined) {
    const status = /\b(\d{3})\b/.exec(report.message ?? report.error?.summary ?? "")?.[1];
    return `skipped: the registry has no audit here${status === undefined ? "" : ` (${status})`}`;
  }
  assert.equal(counts.total, 0, `npm audit: ${JSON.stringify(counts)}`);
  return "no known holes";
}

/** The size in bytes of what a deployment uploads. */
export function bundleSize(/** @type {string} */ bundle) {
  const files = readdirSync(bundle)
    .filter((name) => name === "index.js" || /\.(?:wasm|sql)$/.test(name))
    .map((name) => readFileSync(join(bundle, name)));
  const raw = files.reduce((sum, bytes) => sum + bytes.length, 0);
  const gzip = files.reduce((sum, bytes) => sum + gzipSync(bytes).length, 0);
  assert.ok(gzip < MAX_GZIP_BYTES, `the bundle has ${gzip} bytes, compressed`);
  return { files: files.length, raw, gzip };
}
