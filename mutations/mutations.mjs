// Breaks the product on purpose, one passage at a time, and checks that the named tests notice:
// `node mutations/mutations.mjs [--only WORD] [--list]`.
//
// Each mutation (`list/`) replaces one passage of one file in a copy of the tree and runs the unit tests
// that guard it. The run prints a mutation that no test notices and exits with 1. It does the same if the
// passage is not in its file exactly once, so the list must follow the code.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { MUTATIONS } from "./list.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Files and folders that the tests need beside the packages. */
const COPIED = `abuse clients console docs durable-objects faults migrations models mutations
  picture-model scripts simulation src test tier0 AGENTS.md CHANGELOG.md README.md package.json
  package-lock.json tsconfig.json vitest.config.ts worker-configuration.d.ts wrangler.toml`;

const { values } = parseArgs({
  options: { only: { type: "string" }, list: { type: "boolean", default: false } },
});
const chosen = MUTATIONS.filter(
  ({ file, what }) => values.only === undefined || `${file} ${what}`.includes(values.only),
);
if (chosen.length === 0) {
  console.error(`No mutation has "${values.only}" in its file or its description.`);
  process.exit(1);
}
if (values.list) {
  for (const { file, what } of chosen) console.log(`${file}: ${what}`);
  process.exit(0);
}

const copy = mkdtempSync(join(tmpdir(), "neurogate-mutations-"));
process.once("exit", () => rmSync(copy, { recursive: true, force: true }));
for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => process.exit(1));
for (const name of COPIED.split(/\s+/)) {
  const from = join(ROOT, name);
  cpSync(from, join(copy, name), {
    recursive: true,
    filter: (path) => !path.slice(ROOT.length).includes("node_modules"),
  });
}
symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
const vitest = join(
  dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
  "vitest.mjs",
);

const unnoticed = [];
for (const [at, mutation] of chosen.entries()) {
  const started = Date.now();
  // oxlint-disable-next-line no-await-in-loop -- one broken tree at a time
  const outcome = await tried(mutation);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const words = `${mutation.file}: ${mutation.what}`;
  console.log(`${at + 1}/${chosen.length} ${outcome} (${seconds} s) ${words}`);
  if (outcome !== "noticed") unnoticed.push(`${words}: ${outcome}`);
}
console.log(`${chosen.length - unnoticed.length} of ${chosen.length} noticed.`);
for (const line of unnoticed) console.error(line);
process.exitCode = unnoticed.length === 0 ? 0 : 1;

/** @param {import("./mutation.ts").Mutation} mutation */
async function tried({ file, from, to, tests }) {
  const path = join(copy, file);
  const source = readFileSync(path, "utf8");
  const places = source.split(from).length - 1;
  if (places !== 1) return `its passage is there ${places} times`;
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  try {
    const { code, output } = await run(tests);
    if (code === 0) return "NOT NOTICED";
    // A run that found no test or could not start does not count as noticed.
    return /(?:Tests|Test Files)\s.*\d+ failed|Errors\s+\d+ error/.test(output)
      ? "noticed"
      : `vitest ended with ${code} and no failed test`;
  } finally {
    writeFileSync(path, source);
  }
}

/** @param {readonly string[]} tests */
function run(tests) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [vitest, "run", "--bail=1", ...tests], {
      cwd: copy,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    }
    child.once("close", (code) => resolve({ code, output }));
  });
}
