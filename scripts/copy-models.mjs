// Puts the weights of models/ among the assets that wrangler.toml serves (dist/console/models),
// where the Worker reads them through the ASSETS binding. The Worker's routes come first on that
// path, so that no caller gets them.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MODELS = join(ROOT, "models");

/** @param {string} assets the folder of assets; files that are there already are left alone */
export function copyModels(assets = join(ROOT, "dist", "console")) {
  const target = join(assets, "models");
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(MODELS).filter((file) => file.endsWith(".bin"))) {
    const from = join(MODELS, name);
    const to = join(target, name);
    if (isSame(from, to)) continue;
    // A server may be reading: the file is there whole or not at all.
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
