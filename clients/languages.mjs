// Runs programs in other languages beside a test.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const HERE = fileURLToPath(new URL(".", import.meta.url));

export const isThere = (/** @type {string} */ command, /** @type {string} */ argument) =>
  spawnSync(command, [argument], { stdio: "ignore" }).status === 0;

export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: HERE, encoding: "utf8", ...options });
  assert.equal(done.status, 0, `${command} ${args.join(" ")}\n${done.stdout}\n${done.stderr}`);
  return done.stdout;
}

/** Environments of Python stay between runs, and between clones, outside the tree. */
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "neurogate", "clients");

/**
 * An interpreter with the packages of a list, in an environment of its own. Another list, or
 * another Python, gets another environment.
 *
 * @param {string} list with exact versions of all that is needed
 */
export function python(list = join(HERE, "requirements.txt")) {
  const version = run("python3", ["--version"]);
  const hash = createHash("sha256").update(version).update(readFileSync(list)).digest("hex");
  const folder = join(CACHE, `python-${hash.slice(0, 16)}`);
  const interpreter = join(folder, "bin", "python");
  if (existsSync(interpreter)) return interpreter;
  console.log(`Installing the packages of ${relative(HERE, list)}, once.`);
  // Another run may do the same at the same time: whoever is first puts it in place.
  const making = `${folder}.${process.pid}`;
  mkdirSync(CACHE, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  run("python3", ["-m", "venv", "--clear", making]);
  // Python compiles what is used when it is used: that is a small part.
  const quiet = ["-q", "--disable-pip-version-check", "--no-deps", "--no-compile"];
  run(join(making, "bin", "python"), ["-m", "pip", "install", ...quiet, "-r", list]);
  try {
    renameSync(making, folder);
  } catch {
    rmSync(making, { recursive: true, force: true });
  }
  return interpreter;
}

/** Builds the program of a folder. */
export function goBinary(/** @type {string} */ folder, /** @type {string} */ binary) {
  run("go", ["build", "-o", binary, "."], { cwd: folder });
  return binary;
}
