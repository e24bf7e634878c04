// npm run bench [-- --quick] [--only=governed,peers,journals,tenants,cost,usage,sums] [--json=file]
//   [--rounds=5] [--seconds=2] [--engines=fixed,embedded] [--tenants=1,1000] [--connections=1,16,64] [--lines=1000000]
// npm run bench -- --scale [--most 10000] [--quick]    by the number of tenants (scale/scale.mjs)
//
// Measures the built Worker on workerd itself, with its objects on local disk, under load from
// autocannon. Every figure is shown beside its bound and its competitors, measured in the same run.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cost } from "./cost.mjs";
import { ENTRIES } from "./entries.mjs";
import { governed } from "./governed.mjs";
import { journals, tenants } from "./growth.mjs";
import { machine, say } from "./machine.mjs";
import { peers } from "./peers.mjs";
import { PARTS, scale } from "./scale/scale.mjs";
import { targets } from "./targets.mjs";
import { usagePages } from "./usage-page.mjs";
import { usageSums } from "./usage-sums.mjs";
import { build } from "./workerd.mjs";

const SECTIONS = {
  governed,
  peers,
  journals,
  tenants,
  cost,
  usage: usagePages,
  sums: usageSums,
};

const FULL = {
  rounds: 5,
  seconds: 2,
  warmS: 3,
  engines: ["fixed", "embedded"],
  tenants: [1, 1000],
  connections: [1, 16, 64],
  journal: [0, 100_000, 1_000_000],
  active: [1, 100, 1000],
  existing: 10_000,
  lines: 1_000_000,
  reported: { tenants: 5000, days: 30 },
};

const QUICK = {
  ...FULL,
  rounds: 2,
  seconds: 1,
  warmS: 1,
  tenants: [1, 100],
  connections: [16, 64],
  journal: [0, 20_000],
  active: [1, 50],
  existing: 500,
  lines: 20_000,
  reported: { tenants: 500, days: 8 },
};

const option = (/** @type {string} */ name) =>
  process.argv.find((text) => text.startsWith(`--${name}=`))?.slice(name.length + 3);

const quick = process.argv.includes("--quick");
const defaults = quick ? QUICK : FULL;
const numbers = (/** @type {string} */ name) => option(name)?.split(",").map(Number);
const plan = {
  ...defaults,
  rounds: Number(option("rounds") ?? defaults.rounds),
  seconds: Number(option("seconds") ?? defaults.seconds),
  engines: option("engines")?.split(",") ?? defaults.engines,
  lines: Number(option("lines") ?? defaults.lines),
  tenants: numbers("tenants") ?? defaults.tenants,
  connections: numbers("connections") ?? defaults.connections,
};
const wanted = option("only")?.split(",") ?? Object.keys(SECTIONS);

const dir = mkdtempSync(join(tmpdir(), "neurogate-bench-"));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

const report = { at: new Date().toISOString(), plan, machine: machine() };
say(JSON.stringify(report.machine));
if (process.argv.includes("--scale")) {
  const named = process.argv[process.argv.indexOf("--most") + 1];
  const most = Number(option("most") ?? (process.argv.includes("--most") ? named : 100_000));
  const bundle = await build(join(dir, "bundle-scale"), ENTRIES.scale);
  const { broken } = await scale({
    dir: join(dir, "scale"),
    bundle,
    most,
    quick,
    parts: option("only")?.split(",") ?? PARTS,
  });
  process.exit(broken.length === 0 ? 0 : 1);
}
const bundles = {};
for (const [name, entry] of Object.entries(ENTRIES)) {
  bundles[name] = await build(join(dir, `bundle-${name}`), entry);
}
for (const [name, section] of Object.entries(SECTIONS)) {
  if (!wanted.includes(name)) continue;
  say(`\n${name}`);
  report[name] = await section({ dir: join(dir, name), bundles, plan });
  rmSync(join(dir, name), { recursive: true, force: true });
}
report.targets = targets(report);
say("\ntargets");
for (const { name, value, limit, holds } of report.targets) {
  say(`${holds ? "met   " : "MISSED"}  ${value.toFixed(2)} (aim ${limit})  ${name}`);
}
const json = option("json") ?? join(tmpdir(), "neurogate-bench.json");
writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
say(`\n${json}`);
