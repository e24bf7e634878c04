// A document of thousands of tenants, applied in parts by the built Worker on the workerd binary, while
// verdicts are asked of it: `node bench/state-apply.mjs [TENANTS] [VERDICTS A SECOND]`.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { say } from "./machine.mjs";
import { quantile, round } from "./stats.mjs";
import { makeTenants, tenantIds, verdictRequests } from "./tenants.mjs";
import { ADMIN_TOKEN, build, Workerd } from "./workerd.mjs";

const COUNT = Number(process.argv[2] ?? 5000);
const A_SECOND = Number(process.argv[3] ?? 10);
const PART = 500;
const POLL_MS = 250;

const SETTINGS = { plan: "free", daily_neurons: 1000, reserved_neurons: 1 };

const dir = mkdtempSync(join(tmpdir(), "neurogate-bench-"));
const server = new Workerd(dir, await build(join(dir, "bundle")), { INFERENCE: "embedded" });

/** @returns {Promise<{ ms: number, status: number, body: any }>} */
async function ask(method, path, { key = ADMIN_TOKEN, body } = {}) {
  const begunMs = performance.now();
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body,
  });
  const text = await response.text();
  return { ms: performance.now() - begunMs, status: response.status, body: JSON.parse(text) };
}

/** Verdicts at a steady pace, whether those before are answered or not. */
function askVerdicts(requests) {
  const latencies = [];
  const refused = [];
  const running = new Set();
  let at = 0;
  const timer = setInterval(() => {
    const { path, headers, body } = requests[at % requests.length];
    at += 1;
    const one = ask("POST", path, { key: headers.authorization.slice(7), body })
      .then(({ ms, status }) => (status === 200 ? latencies : refused).push(ms))
      .finally(() => running.delete(one));
    running.add(one);
  }, 1000 / A_SECOND);
  return async () => {
    clearInterval(timer);
    await Promise.all(running);
    assert.deepEqual(refused, []);
    return latencies;
  };
}

/** From the first part to the end. */
async function apply(id, settings) {
  const ids = Array.from({ length: COUNT }, (_, at) => `s-${String(at).padStart(6, "0")}`);
  const parts = Math.ceil(COUNT / PART);
  const begunMs = performance.now();
  for (let part = 1; part <= parts; part += 1) {
    const named = ids.slice((part - 1) * PART, part * PART);
    const tenants = Object.fromEntries(named.map((tenant) => [tenant, settings]));
    const path = `/admin/state?apply=${id}&part=${part}/${parts}`;
    // oxlint-disable-next-line no-await-in-loop -- one part after the other
    const { status, body } = await ask("PUT", path, { body: JSON.stringify({ tenants }) });
    assert.equal(status, 200, JSON.stringify(body));
  }
  const sentMs = performance.now() - begunMs;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const { body } = await ask("GET", `/admin/state/applies/${id}`);
    if (body.ended_at !== null) {
      assert.deepEqual(body.tenants, { total: COUNT, planned: COUNT, done: COUNT, failed: 0 });
      const seconds = round((performance.now() - begunMs) / 1000);
      return { seconds, sent_ms: Math.round(sentMs), counts: body.counts };
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    await sleep(POLL_MS);
  }
}

const latenciesOf = (latencies) => ({
  verdicts: latencies.length,
  p50_ms: Math.round(quantile(latencies, 0.5)),
  p99_ms: Math.round(quantile(latencies, 0.99)),
  most_ms: Math.round(Math.max(...latencies)),
});

async function measured(id, settings) {
  const end = askVerdicts(requests);
  const run = await apply(id, settings);
  const patch = await ask("PATCH", "/admin/account", {
    body: JSON.stringify({ thresholds: [0.5] }),
  });
  assert.equal(patch.status, 200);
  const result = { ...run, ...latenciesOf(await end()), patch_account_ms: Math.round(patch.ms) };
  say(`${id}: ${JSON.stringify(result)}`);
}

await server.start();
const keys = await makeTenants(server, tenantIds(5));
const requests = verdictRequests(keys);
try {
  const endIdle = askVerdicts(requests);
  await sleep(10_000);
  say(`idle: ${JSON.stringify(latenciesOf(await endIdle()))}`);
  await measured("create", SETTINGS);
  await measured("unchanged", SETTINGS);
  await measured("update", { ...SETTINGS, daily_neurons: 2000 });
} finally {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}
