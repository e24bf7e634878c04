// Copies the weights of models/ to the assets that wrangler.toml serves (dist/console/models). The Worker
// reads them there through the ASSETS binding. On that path the Worker's routes come first, so that no
// caller gets the weights.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MODELS = join(ROOT, "models");

/** @param {string} assets the folder of assets; existing files stay as they are */
export function copyModels(assets = join(ROOT, "dist", "console")) {
  const target = join(assets, "models");
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(MODELS).filter((file) => file.endsWith(".bin"))) {
    const from = join(MODELS, name);
    const to = join(target, name);
    if (isSame(from, to)) continue;
    // A server may be reading, so a file appears whole or not at all.
    const aside = `${to}.${process.pid}`;
    copyFileSync(from, aside);
    renameSync(aside, to);
  }
}

function isSame(/** @type {string} */ from, /** @type {string} */ to) {
  try {
    return readFileSync(from).equals(readFileSync(to));
  } catch {
    return false;
  }
}
