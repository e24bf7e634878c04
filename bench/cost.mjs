// The resources of a governed call that Cloudflare charges for, counted by the SQL cursors themselves.
import { join } from "node:path";
import { run } from "./load.mjs";
import { say } from "./machine.mjs";
import { freeCallsPerDay, paidUsdPerMillion, PRICES, unitsOf } from "./prices.mjs";
import { round } from "./stats.mjs";
import {
  chatRequests,
  checkChat,
  checkVerdict,
  getJson,
  makeTenants,
  verdictRequests,
} from "./tenants.mjs";
import { Workerd } from "./workerd.mjs";

export async function cost({ dir, bundles, plan }) {
  const server = new Workerd(join(dir, "cost"), bundles.metered);
  await server.start();
  const [key] = await makeTenants(server, ["spender"]);
  await checkVerdict(server.url, key, "workers-ai");
  await checkChat(server.url, key, "workers-ai");
  const calls = [];
  for (const [call, requests] of [
    ["moderation", verdictRequests([key])],
    ["generation", chatRequests([key])],
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- one measurement at a time
    calls.push(await costOf(call, { server, key, requests, plan }));
  }
  await server.stop();
  return { prices: PRICES.version, source: PRICES.source, calls };
}

/** @param call its name; the use at each number of connections */
async function costOf(call, { server, key, requests, plan }) {
  await run({ url: server.url, requests, connections: 16, seconds: plan.warmS });
  const rows = [];
  for (const connections of plan.connections) {
    // oxlint-disable no-await-in-loop -- one measurement at a time
    await getJson(server.url, "/meter/spender");
    const load = { url: server.url, requests, connections, cpuMs: () => server.cpuMs() };
    const measured = await run({ ...load, seconds: plan.seconds });
    const meter = await getJson(server.url, "/meter/spender");
    // oxlint-enable no-await-in-loop
    const used = {
      cpuMs: measured.cpu_ms,
      objectCalls: (meter.admits + meter.settles) / meter.admits,
      rowsRead: meter.rowsRead / meter.admits,
      rowsWritten: meter.rowsWritten / meter.admits,
    };
    const units = unitsOf(used);
    const usd = paidUsdPerMillion(units);
    const free = freeCallsPerDay(units);
    rows.push({ connections, ...units, usd_per_million: usd, free_calls_per_day: free });
    say(
      `${call} ${String(connections).padStart(3)} conn.: ${round(used.rowsWritten)} rows written, ${round(used.rowsRead)} read, ` +
        `${round(used.objectCalls)} object calls, ${round(used.cpuMs)} ms CPU a call; ` +
        `USD ${round(usd.total)} a million on Workers Paid; ${free.calls} calls a day on Free (${free.limit})`,
    );
  }
  // The latest lines belong to this call.
  const lines = await getJson(server.url, "/v1/ledger?limit=200", key);
  const total = (name) => lines.data.reduce((sum, line) => sum + line[name], 0);
  const held = round(total("held_micro_neurons") / total("micro_neurons"));
  say(`${call}: held ${held} times what is posted`);
  return { call, held_over_posted: held, rows };
}
