// Runs the tests: `node scripts/test.mjs [unit] [e2e] [long] [--shuffle] [--seed N] [FILE …]`.
//
// `unit` is vitest: pure tests in Node, the others in the Workers runtime. `e2e` drives real servers and
// mostly waits for them, so it runs beside `unit`; its output comes when both are done. `long` runs the
// tests of both kinds that take long: `*.long.test.ts` (random histories, tests that wait for real objects)
// and the end-to-end tests of `test/long`. Named files must be of `e2e` or `long`. At the end it lists the
// skipped tests, the other test commands, and in its last lines the failed tests.
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { drawnSeed, Random } from "../faults/random.mjs";
import { installFolder } from "./install-folder.mjs";
import { keepFilesInMemory } from "./memory-folder.mjs";
import { failureLines, readResults } from "./test-results.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Folders of end-to-end tests; every `*.test.mjs` in them is run. */
const FOLDERS = { e2e: ["test/e2e", "test/start"], long: ["test/long"] };

/** The folder with the official Cloudflare client (120 MB), which is installed when it is used. */
const CLIENTS = "test/e2e";

/** Commands that are not a part of `npm test`, with their time on two cores. */
const LONGER = [
  [
    "npm run test:long",
    "random histories, kills at random moments, a client's minute in real time; 5 min",
  ],
  ["npm run test:faults", "the fault run; 4 min"],
  ["npm run test:pool", "fifty tenants and one account; 10 min"],
  ["npm run test:clients", "clients of other makers, receivers in other languages; 4 min"],
  ["npm run test:mutations", "the product broken on purpose, rule by rule; 25 min"],
  ["npm run test:abuse", "requests made from the API's document; 3 min"],
  ["npm run test:picture-model", "the picture model is what its sources make"],
  ["npm run test:vector-kernel", "the kernel of vector search is what its source makes"],
  ["npm run tier0:evaluate", "what the text model finds and misses, against its bounds"],
  ["npm run bench", "latency, memory and requests a second"],
  [
    "npm run simulate",
    "a tenant that crashes at every commit; 20 min of CPU for 100,000 histories",
  ],
];

const { values, positionals } = parseArgs({
  options: { shuffle: { type: "boolean", default: false }, seed: { type: "string" } },
  allowPositionals: true,
});
const KINDS = ["unit", "e2e", "long"];
const kinds = positionals.filter((word) => KINDS.includes(word));
const named = positionals.filter((word) => !KINDS.includes(word));
const seed = Number(values.seed ?? drawnSeed());
if (values.shuffle) console.log(`Shuffled: --shuffle --seed ${seed}`);

keepFilesInMemory();
const scratch = mkdtempSync(join(tmpdir(), "neurogate-test-"));
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));

/**
 * Files that cannot be run here.
 * @type {{ name: string, reason: string }[]}
 */
const notRun = [];

const runs = [];
if (kinds.includes("unit")) runs.push(runUnit("unit", {}));
if (kinds.includes("long") && named.length === 0) {
  runs.push(runUnit("long unit", { NEUROGATE_TESTS: "long" }));
}
const files = filesToRun();
// With `unit` at the same time, the two outputs would mix.
if (files.length > 0) runs.push(runEndToEnd(files, { later: runs.length > 0 }));
const done = await Promise.all(runs);
for (const { output } of done) process.stdout.write(output);

summarize([...notRun, ...done.flatMap(({ results }) => results.filter(isSkipped))]);
for (const line of failureLines(done)) console.log(line);
process.exitCode = done.every(({ code }) => code === 0) ? 0 : 1;

/**
 * @param {string} title
 * @param {Record<string, string>} env
 */
async function runUnit(title, env) {
  const vitest = join(packageFolder("vitest"), "vitest.mjs");
  const shuffle = values.shuffle ? ["--sequence.shuffle", `--sequence.seed=${seed}`] : [];
  const reporters = ["--reporter=default", "--reporter=./test/setup/vitest-reporter.mjs"];
  const written = join(scratch, title);
  const result = await run([vitest, "run", ...reporters, ...shuffle], {
    later: false,
    env: { ...env, NEUROGATE_TEST_RESULTS: written },
  });
  return { ...result, title, results: readResults(written) };
}

/** @param {string[]} paths */
async function runEndToEnd(paths, { later }) {
  const written = join(scratch, "e2e");
  const result = await run(
    [
      "--test",
      "--test-concurrency=2",
      "--test-global-setup=test/e2e/global-setup.mjs",
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=./test/setup/node-reporter.mjs",
      `--test-reporter-destination=${written}`,
      ...paths,
    ],
    { later },
  );
  return { ...result, title: "e2e", results: readResults(written) };
}

/** The end-to-end files that can run, in the seed's order with `--shuffle`. */
function filesToRun() {
  const folders = kinds.flatMap((kind) => FOLDERS[kind] ?? []);
  const all =
    named.length > 0
      ? named
      : folders.flatMap((folder) => globSync(`${folder}/*.test.mjs`, { cwd: ROOT }).toSorted());
  const paths = all.filter((path) => !needsClients(path) || areClientsThere(path));
  return values.shuffle ? shuffled(paths) : paths;
}

function needsClients(/** @type {string} */ path) {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, CLIENTS, "package.json"), "utf8"));
  const source = readFileSync(join(ROOT, path), "utf8");
  return Object.keys(dependencies).some((name) => source.includes(`from "${name}"`));
}

/** If the packages cannot be installed, the test is skipped. On CI that is an error. */
function areClientsThere(/** @type {string} */ path) {
  if (installFolder(CLIENTS)) return true;
  if (process.env.CI) throw new Error(`The packages of ${CLIENTS}/ could not be installed.`);
  const reason = `the packages of ${CLIENTS}/ could not be installed; run it with a network`;
  notRun.push({ name: path, reason });
  return false;
}

/** Fisher-Yates shuffle: the same order for the same seed. */
function shuffled(/** @type {string[]} */ list) {
  const random = new Random(seed);
  const order = [...list];
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = random.integer(0, at);
    [order[at], order[other]] = [order[other], order[at]];
  }
  return order;
}

/** Runs a process of this Node. With `later` its output is collected and returned, else shown at once. */
function run(/** @type {string[]} */ args, { later, env = {} }) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["ignore", later ? "pipe" : "inherit", later ? "pipe" : "inherit"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => (output += text));
    }
    child.once("close", (code) => resolve({ code, output }));
  });
}

function packageFolder(/** @type {string} */ name) {
  return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
}

function isSkipped(/** @type {{ kind: string }} */ { kind }) {
  return kind === "skipped";
}

/** @param {{ name: string, reason: string }[]} skipped */
function summarize(skipped) {
  const byReason = Map.groupBy(skipped, ({ reason }) => reason);
  for (const [reason, tests] of byReason) {
    const names = tests.length > 2 ? `${tests.length} tests` : tests.map(({ name }) => name).join();
    console.log(`Skipped: ${names}: ${reason}.`);
  }
  if (byReason.size === 0) console.log("Nothing was skipped.");
  if (kinds.includes("long")) return;
  console.log("Not run here (docs/proof.md):");
  for (const [command, what] of LONGER) console.log(`  ${command.padEnd(26)} ${what}`);
}
