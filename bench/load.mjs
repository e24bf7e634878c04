// One run of load against one server: closed loop, every reply checked.
import assert from "node:assert/strict";
import autocannon from "autocannon";
import { quantile } from "./stats.mjs";

/**
 * @param {{ url: string, requests: readonly object[], connections: number, cpuMs?: () => number }
 *   & ({ seconds: number } | { amount: number })} load each connection has requests of its own, so that
 *   two rarely call the same tenant at once. With fewer requests than connections they share.
 * @returns requests a second, latencies and CPU in milliseconds
 */
export async function run({ url, requests, connections, seconds, amount, cpuMs = () => 0 }) {
  const latencies = [];
  /** The first reply that was not 200, since a repeat of the run may not fail. */
  let refused = "";
  const bodies = new WeakMap();
  let at = 0;
  const cpuBefore = cpuMs();
  const startedMs = performance.now();
  const instance = autocannon({
    url,
    connections,
    ...(amount === undefined ? { duration: seconds } : { amount }),
    requests: [requests[0]],
    setupClient: (client) => {
      const own = requests.filter((_, index) => index % connections === at % connections);
      client.on("body", (bytes) => bodies.set(client, bytes));
      client.setRequests(own.length > 0 ? own : [requests[at % requests.length]]);
      at += 1;
    },
  });
  let lastMs = startedMs;
  instance.on("response", (client, status, _bytes, ms) => {
    if (status !== 200) {
      refused ||= `${status} ${String(bodies.get(client)).slice(0, 500)}`;
      return;
    }
    latencies.push(ms);
    lastMs = performance.now();
  });
  const result = await instance;
  const cpu = cpuMs() - cpuBefore;
  assert.equal(result.errors + result.timeouts, 0, `${url}: connections failed`);
  assert.equal(
    refused,
    "",
    `${url}: ${JSON.stringify(result.statusCodeStats)}, the first not 200: ${refused}`,
  );
  assert.ok(latencies.length > 0, `${url}: no reply at all in this run`);
  return {
    rps: latencies.length / ((lastMs - startedMs) / 1000),
    median_ms: quantile(latencies, 0.5),
    p99_ms: quantile(latencies, 0.99),
    cpu_ms: cpu / latencies.length,
    calls: latencies.length,
  };
}
