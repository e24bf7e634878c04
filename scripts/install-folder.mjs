// Packages with a single use are named in the folder of that use and installed when it runs, so that
// `npm ci` stays short.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Installs the packages of a folder's lockfile, unless they are already installed.
 *
 * @param {string} folder from the root
 * @returns {boolean} whether they are installed now
 */
export function installFolder(folder) {
  const path = join(ROOT, folder);
  const lockfile = readFileSync(join(path, "package-lock.json"));
  const hash = createHash("sha256").update(lockfile).digest("hex");
  const stamp = join(path, "node_modules", ".neurogate-installed");
  if (readIfThere(stamp) === hash) return true;
  console.log(`Installing the packages of ${folder}/, once.`);
  const { status, stderr } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--prefix", path], {
    cwd: path,
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  if (status === 0) writeFileSync(stamp, hash);
  else console.error(stderr);
  return status === 0;
}

function readIfThere(/** @type {string} */ path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!installFolder(process.argv[2] ?? "")) process.exitCode = 1;
}
