import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The machine of the figures, without which they mean nothing. */
export const machine = () => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? "unknown",
  memory_gb: Math.round(totalmem() / 2 ** 30),
  linux: release(),
  node: process.version,
  load_before: loadavg()[0],
});

export const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);
