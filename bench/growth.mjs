// Measures whether a call costs more with a long journal or with many other tenants.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { rotated } from "./governed.mjs";
import { run } from "./load.mjs";
import { say } from "./machine.mjs";
import { objectFile, seedJournal } from "./object-file.mjs";
import { median, medians, round as rounded } from "./stats.mjs";
import {
  checkVerdict,
  getJson,
  makeIdleTenants,
  makeTenants,
  tenantIds,
  verdictRequests,
} from "./tenants.mjs";
import { Workerd } from "./workerd.mjs";

const CONNECTIONS = 16;
/** Calls one after the other, so that all rows read belong to one admission. */
const METERED_CALLS = 200;
const SETTLED_MS = 2000;

/** One process serves tenants whose journals differ only in length. */
export async function journals({ dir, bundles, plan }) {
  const server = new Workerd(join(dir, "journals"), bundles.metered);
  await server.start();
  const ids = plan.journal.map((lines) => `lines-${lines}`);
  const keys = await makeTenants(server, ids);
  // oxlint-disable no-await-in-loop -- one measurement at a time
  for (const key of keys) await checkVerdict(server.url, key, "workers-ai");
  await server.stop();
  for (const [at, lines] of plan.journal.entries()) {
    const directory = server.directory("Tenant");
    seedJournal(objectFile(directory, "neurogate-Tenant", ids[at]), lines);
  }
  await server.start();
  const runs = plan.journal.map(() => []);
  const rows = [];
  for (const [at, lines] of plan.journal.entries()) {
    const requests = verdictRequests([keys[at]]);
    await run({ url: server.url, requests, connections: CONNECTIONS, seconds: plan.warmS });
    // Calls that the end of the load cut off are settled first, so that their rows do not count.
    await sleep(SETTLED_MS);
    await getJson(server.url, `/meter/${ids[at]}`);
    await run({ url: server.url, requests, connections: 1, amount: METERED_CALLS });
    const meter = await getJson(server.url, `/meter/${ids[at]}`);
    rows.push({ lines, rows_read: rounded(meter.admitRowsRead / meter.admits, 3) });
  }
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const at of rotated([...plan.journal.keys()], round)) {
      const requests = verdictRequests([keys[at]]);
      const load = { url: server.url, requests, connections: CONNECTIONS };
      runs[at].push(await run({ ...load, seconds: plan.seconds }));
    }
  }
  // oxlint-enable no-await-in-loop
  await server.stop();
  return rows.map((row, at) => {
    const made = {
      ...row,
      ...medians(runs[at]),
      of_shortest: median(runs[at].map((one, n) => one.median_ms / runs[0][n].median_ms)),
    };
    say(
      `${String(row.lines).padStart(8)} lines: ${row.rows_read} rows read an admission, ` +
        `p50 ${made.median_ms.toFixed(2)} ms (${made.of_shortest.toFixed(2)} of the shortest), p99 ${made.p99_ms.toFixed(1)} ms`,
    );
    return made;
  });
}

/** Some tenants get calls; many more exist. */
export async function tenants({ dir, bundles, plan }) {
  const server = new Workerd(join(dir, "tenants"), bundles.ours);
  await server.start();
  const active = Math.max(...plan.active);
  const keys = await makeTenants(server, tenantIds(active));
  await makeIdleTenants(server, plan.existing - active);
  const runs = plan.active.map(() => []);
  // oxlint-disable no-await-in-loop -- one measurement at a time
  await run({
    url: server.url,
    requests: verdictRequests(keys.slice(0, 1)),
    connections: CONNECTIONS,
    seconds: plan.warmS,
  });
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const at of rotated([...plan.active.keys()], round)) {
      const requests = verdictRequests(keys.slice(0, plan.active[at]));
      const load = { url: server.url, requests, cpuMs: () => server.cpuMs() };
      if (requests.length > 1) await run({ ...load, connections: 32, amount: requests.length });
      runs[at].push(await run({ ...load, connections: CONNECTIONS, seconds: plan.seconds }));
    }
  }
  // oxlint-enable no-await-in-loop
  await server.stop();
  return plan.active.map((count, at) => {
    const row = { active: count, existing: plan.existing, ...medians(runs[at]) };
    say(
      `${String(count).padStart(5)} active of ${plan.existing}: ${row.rps.toFixed(0)}/s, ` +
        `p50 ${row.median_ms.toFixed(2)} ms, p99 ${row.p99_ms.toFixed(1)} ms`,
    );
    return row;
  });
}
