// node bench/path.mjs [--inference embedded] [--list]
//
// Counts the source files that one text verdict crosses: files with a function that runs between the
// request and the reply, in the built Worker. Work that is done once (parsing, caches, tables) is done
// before.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createInstrumenter } from "istanbul-lib-instrument";
import { ENTRIES } from "./entries.mjs";
import { ROOT, say } from "./machine.mjs";
import { makeTenants } from "./tenants.mjs";
import { build, Workerd } from "./workerd.mjs";

const { values } = parseArgs({
  options: {
    inference: { type: "string", default: "workers-ai" },
    list: { type: "boolean", default: false },
  },
});

/** Verdicts before the counted one. */
const BEFORE = 5;

/**
 * The largest allowed number of files for one verdict: as many as it crosses now. Of the tenant's features
 * only those run that the verdict has something to do with. The small files that are left are concepts of
 * their own: fewer files would put several concepts into one.
 */
const MOST_FILES = 94;

const dir = mkdtempSync(join(tmpdir(), "neurogate-path-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

const bundle = await build(join(dir, "bundle"), ENTRIES.path);
const file = join(bundle.outdir, bundle.index);
const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")));
const instrumenter = createInstrumenter({
  esModules: true,
  coverageVariable: "counters",
  coverageGlobalScope: "globalThis",
  coverageGlobalScopeFunc: false,
});
writeFileSync(file, instrumenter.instrumentSync(readFileSync(file, "utf8"), "worker"));

const server = new Workerd(join(dir, "state"), bundle, { INFERENCE: values.inference });
await server.start();
const [key] = await makeTenants(server, ["t-0"]);

const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
const body = JSON.stringify({ text: "I really like how this turned out, thank you." });

async function verdict() {
  const reply = await fetch(`${server.url}/v1/verdicts`, { method: "POST", headers, body });
  const made = await reply.json();
  if (!reply.ok) throw new Error(`${reply.status} ${JSON.stringify(made)}`);
}

/** Functions of the bundle with how often each ran. */
async function counters() {
  const { worker } = await (await fetch(`${server.url}/counters`)).json();
  return worker;
}

// oxlint-disable-next-line no-await-in-loop -- one after the other
for (let before = 0; before < BEFORE; before += 1) await verdict();
const { f: earlier } = await counters();
await verdict();
const { f: later, fnMap } = await counters();
await server.stop();

/** Lines of the functions that ran, by their file. */
const ran = new Map();
for (const [id, { decl }] of Object.entries(fnMap)) {
  if (later[id] === earlier[id]) continue;
  const { originalSource, originalLine } = map.findEntry(decl.start.line - 1, decl.start.column);
  if (originalSource === undefined) continue;
  const path = relative(ROOT, resolve(bundle.outdir, originalSource));
  if (!/^(?:src|durable-objects)\//.test(path)) continue;
  ran.set(path, [...(ran.get(path) ?? []), originalLine + 1]);
}
const files = Array.from(ran.keys(), String).toSorted();
if (values.list) for (const path of files) say(`${path}: ${ran.get(path).join(", ")}`);
say(`One text verdict (${values.inference}) crosses ${files.length} files; at most ${MOST_FILES}.`);
if (files.length > MOST_FILES) process.exitCode = 1;
