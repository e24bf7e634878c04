// Builds the pages of console/ into dist/console, which `[assets]` of wrangler.toml serves, and copies
// the models there. `npm start` runs it, and so does every `wrangler dev` and `deploy` (it is the custom
// build of wrangler.toml). So it does nothing if the last build was made from the same sources.
//
// Several may run at once, and a server may be reading. So files are built in another folder and moved
// into place one by one: first the files that are named by their hash, then the pages that load them.
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { copyModels } from "./copy-models.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(ROOT, "dist");
const TARGET = join(DIST, "console");

/** The record of the last build. It is beside the served folder, not in it. */
const STAMP = join(DIST, "console.json");

/** The sources of the served files: the pages, the rules that they import, the packages, the models. */
const SOURCES = [
  "console",
  "src/domain",
  "models",
  "scripts/build-console.mjs",
  "scripts/copy-models.mjs",
  "package-lock.json",
];

/** The files below a folder, or the file itself, as paths from `from`. */
function filesBelow(/** @type {string} */ path, from = path) {
  const entries = statSync(path).isFile() ? [path] : readdirSync(path, { recursive: true });
  return entries
    .map((entry) => resolve(path, String(entry)))
    .filter((file) => statSync(file).isFile())
    .map((file) => relative(from, file))
    .toSorted();
}

function hashOfSources() {
  const hash = createHash("sha256");
  for (const path of SOURCES.flatMap((source) => filesBelow(join(ROOT, source), ROOT))) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(ROOT, path)))
      .update("\0");
  }
  return hash.digest("hex");
}

/** The hash of the last build's sources; null if there was none or one of its files is gone. */
function lastBuild() {
  try {
    const { sources, files } = JSON.parse(readFileSync(STAMP, "utf8"));
    const all = files.every((/** @type {string} */ path) => statSync(join(TARGET, path)).isFile());
    return all ? sources : null;
  } catch {
    return null;
  }
}

function moveIntoPlace(/** @type {string} */ built) {
  const files = filesBelow(built);
  const pagesLast = files.toSorted((a, b) => Number(isPage(a)) - Number(isPage(b)));
  for (const path of pagesLast) {
    mkdirSync(dirname(join(TARGET, path)), { recursive: true });
    renameSync(join(built, path), join(TARGET, path));
  }
  for (const path of filesBelow(TARGET)) {
    if (!files.includes(path)) rmSync(join(TARGET, path), { force: true });
  }
  return files;
}

const isPage = (/** @type {string} */ path) => path.endsWith(".html");

/** @returns {Promise<boolean>} whether there was something to build */
export async function buildConsole() {
  const sources = hashOfSources();
  if (lastBuild() === sources) return false;
  mkdirSync(DIST, { recursive: true });
  const built = mkdtempSync(join(DIST, ".console-"));
  try {
    // Vite is loaded here, so that the usual case, nothing to do, takes no time.
    const { build } = await import("vite");
    const root = join(ROOT, "console");
    const output = { outDir: built, emptyOutDir: false };
    await build({
      root,
      configFile: join(root, "vite.config.ts"),
      logLevel: "warn",
      build: output,
    });
    copyModels(built);
    const files = moveIntoPlace(built);
    const stamp = join(built, "stamp.json");
    writeFileSync(stamp, JSON.stringify({ sources, files }));
    renameSync(stamp, STAMP);
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildConsole();
