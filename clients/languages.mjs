// Runs programs in other languages beside a test.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const HERE = fileURLToPath(new URL(".", import.meta.url));

export const isThere = (/** @type {string} */ command, /** @type {string} */ argument) =>
  spawnSync(command, [argument], { stdio: "ignore" }).status === 0;

export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: HERE, encoding: "utf8", ...options });
  assert.equal(done.status, 0, `${command} ${args.join(" ")}\n${done.stdout}\n${done.stderr}`);
  return done.stdout;
}

/** Python's packages in an environment of their own. It is made again when the list changes. */
export function python() {
  const folder = join(HERE, ".venv");
  const list = join(HERE, "requirements.txt");
  const hash = createHash("sha256").update(readFileSync(list)).digest("hex");
  const stamp = join(folder, "installed");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== hash) {
    run("python3", ["-m", "venv", "--clear", folder]);
    const quiet = ["-q", "--disable-pip-version-check", "--no-deps"];
    run(join(folder, "bin", "pip"), ["install", ...quiet, "-r", list]);
    writeFileSync(stamp, hash);
  }
  return join(folder, "bin", "python");
}
