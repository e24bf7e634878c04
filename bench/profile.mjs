// node bench/profile.mjs [floor|ours|naive|real] [connections] [seconds]
//
// Shows the CPU time of a governed call by function, with V8's own profiler through workerd's inspector.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENTRIES } from "./entries.mjs";
import { inspect } from "./inspector.mjs";
import { run } from "./load.mjs";
import { say } from "./machine.mjs";
import { makeTenants, verdictRequests } from "./tenants.mjs";
import { build, freePort, Workerd } from "./workerd.mjs";

const [variant = "ours", connections = "64", seconds = "5"] = process.argv.slice(2);
const SHOWN = 45;

const dir = mkdtempSync(join(tmpdir(), "neurogate-profile-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

const bundle = await build(join(dir, "bundle"), ENTRIES[variant]);
const inspector = await freePort();
const settings = variant === "real" ? { INFERENCE: "embedded" } : {};
const server = new Workerd(join(dir, "state"), bundle, settings, [
  `--inspector-addr=127.0.0.1:${inspector}`,
]);
await server.start();
const keys = await makeTenants(server, ["t-0"]);
const load = { url: server.url, requests: verdictRequests(keys), connections: Number(connections) };
await run({ ...load, seconds: 3 });

const { ask, close } = await inspect(inspector);
await ask("Profiler.enable");
await ask("Profiler.setSamplingInterval", { interval: 200 });
await ask("Profiler.start");
const cpuMs = server.cpuMs();
const { calls, rps } = await run({ ...load, seconds: Number(seconds) });
const usedMs = server.cpuMs() - cpuMs;
const { profile } = await ask("Profiler.stop");
await server.stop();
close();

/** Self time by function, and time with callees by function; each function counts once on a stack. */
const byId = new Map(profile.nodes.map((node) => [node.id, node]));
const selfUs = new Map();
profile.samples.forEach((id, at) => selfUs.set(id, (selfUs.get(id) ?? 0) + profile.timeDeltas[at]));
const nameOf = ({ callFrame: { functionName, lineNumber } }) =>
  `${functionName || "(anonymous)"}:${lineNumber + 1}`;
const self = new Map();
const total = new Map();
function walk(node, above) {
  const name = nameOf(node);
  const own = selfUs.get(node.id) ?? 0;
  let all = own;
  for (const child of node.children ?? []) all += walk(byId.get(child), new Set([...above, name]));
  self.set(name, (self.get(name) ?? 0) + own);
  if (!above.has(name)) total.set(name, (total.get(name) ?? 0) + all);
  return all;
}
walk(profile.nodes[0], new Set());
say(`${calls} calls, ${rps.toFixed(0)}/s, ${(usedMs / calls).toFixed(2)} ms of CPU a call`);
for (const [title, times] of Object.entries({ self, total })) {
  say(`\n${title}, microseconds a call (function:line of the bundle)`);
  const shown = [...times].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN);
  for (const [name, us] of shown) say(`${(us / calls).toFixed(1).padStart(9)}  ${name}`);
}
const file = join(tmpdir(), `neurogate-${variant}.cpuprofile`);
writeFileSync(file, JSON.stringify(profile));
say(`\n${file} (opens in the browser's developer tools)`);
