// Compares the governed call with its floor (the same call without storage) and its naive form (each
// reserve and each settle waits for a write transaction of its own).
import { join } from "node:path";
import { run } from "./load.mjs";
import { say } from "./machine.mjs";
import { median, medians } from "./stats.mjs";
import { checkVerdict, makeTenants, tenantIds, verdictRequests } from "./tenants.mjs";
import { Workerd } from "./workerd.mjs";

export const VARIANTS = ["floor", "ours", "naive"];

const ENGINES = {
  /** The adapter of Workers AI over a binding that answers at once. */
  fixed: { INFERENCE: "workers-ai" },
  embedded: { INFERENCE: "embedded" },
};

/** @returns one row for each engine, number of tenants and number of connections */
export async function governed({ dir, bundles, plan }) {
  const rows = [];
  for (const engine of plan.engines) {
    const servers = {};
    const keys = {};
    // oxlint-disable no-await-in-loop -- one measurement at a time
    for (const variant of VARIANTS) {
      const server = new Workerd(join(dir, `${variant}-${engine}`), bundles[variant], {
        ...ENGINES[engine],
      });
      await server.start();
      servers[variant] = server;
      keys[variant] = await makeTenants(server, tenantIds(Math.max(...plan.tenants)));
      await checkVerdict(server.url, keys[variant][0], ENGINES[engine].INFERENCE);
      await measure(server, keys[variant].slice(0, 1), { connections: 16, seconds: plan.warmS });
    }
    for (const tenants of plan.tenants) {
      for (const connections of plan.connections) {
        const runs = Object.fromEntries(VARIANTS.map((variant) => [variant, []]));
        for (let round = 0; round < plan.rounds; round += 1) {
          for (const variant of rotated(VARIANTS, round)) {
            const some = keys[variant].slice(0, tenants);
            runs[variant].push(
              await measure(servers[variant], some, { connections, seconds: plan.seconds }),
            );
          }
        }
        const row = { engine, tenants, connections, ...compared(runs) };
        rows.push(row);
        say(line(row));
      }
    }
    for (const variant of VARIANTS) await servers[variant].stop();
    // oxlint-enable no-await-in-loop
  }
  return rows;
}

async function measure(server, keys, { connections, seconds }) {
  const requests = verdictRequests(keys);
  const load = { url: server.url, requests, cpuMs: () => server.cpuMs() };
  // Objects sleep after ten seconds, so each is woken before it is measured.
  if (keys.length > 1) await run({ ...load, connections: 32, amount: keys.length });
  return run({ ...load, connections, seconds });
}

/** Each server goes first in turn, so that none always runs on the warmer machine. */
export const rotated = (list, by) => list.map((_, index) => list[(index + by) % list.length]);

const compared = (runs) => ({
  ...Object.fromEntries(VARIANTS.map((variant) => [variant, medians(runs[variant])])),
  of_floor: ratio(runs.ours, runs.floor),
  of_naive: ratio(runs.ours, runs.naive),
});

/** The median of the ratios of neighbouring runs, since drift of the machine is the same for both. */
export const ratio = (ours, theirs) => median(ours.map(({ rps }, at) => rps / theirs[at].rps));

const line = ({ engine, tenants, connections, floor, ours, naive, of_floor, of_naive }) =>
  [
    `${engine.padEnd(8)} ${String(tenants).padStart(5)} tenants ${String(connections).padStart(3)} conn.`,
    `floor ${floor.rps.toFixed(0).padStart(6)}/s`,
    `ours ${ours.rps.toFixed(0).padStart(6)}/s (p50 ${ours.median_ms.toFixed(1)} p99 ${ours.p99_ms.toFixed(1)} ms, cpu ${ours.cpu_ms.toFixed(2)} ms)`,
    `naive ${naive.rps.toFixed(0).padStart(6)}/s`,
    `= ${of_floor.toFixed(2)} of the floor, ${of_naive.toFixed(2)} x naive`,
  ].join("  ");
