// Measures a tenant's own object: the cost of making one, and of a pass over all of them.
import { setTimeout as sleep } from "node:timers/promises";
import { verdictRequests } from "../tenants.mjs";
import { admin, costOf, harness, takeMeter } from "./account.mjs";

const MADE = 40;
const SETTINGS = { plan: "free", daily_neurons: 1_000_000_000, rpm: { requests: 1_000_000 } };

export async function call(server, key) {
  const [{ path, ...request }] = verdictRequests([key]);
  const response = await fetch(server.url + path, request);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 500)}`);
}

export async function newKey(server, id) {
  const { body } = await admin(server, "POST", `/admin/tenants/${id}/keys`, { role: "manage" });
  return body.key;
}

/** Makes some tenants while many others exist. */
export async function making(table, { server, count }) {
  const ids = Array.from({ length: MADE }, (_, at) => `made-${at}`);
  const make = (/** @type {string} */ id) => admin(server, "PUT", `/admin/tenants/${id}`, SETTINGS);
  await make("warm");
  await takeMeter(server);
  const made = await costOf(server, MADE, (at) => make(ids[at]));
  const meter = await takeMeter(server);
  const sizeOf = (/** @type {string} */ id) => harness(server, `size/${id}`);
  const bytes = await sizeOf(ids[0]);
  const of = `making a tenant, N = ${count}`;
  table.told(`${of}: CPU`, made.cpuMs, "ms", 12);
  table.held(`${of}: rows written in it`, meter.tenant.written / MADE, 30);
  table.told(`${of}: rows read in it`, meter.tenant.read / MADE);
  table.held(`${of}: rows written in the account`, meter.account.written / MADE, 6);
  table.held(`${of}: bytes`, bytes, 32_768);

  const keys = [];
  const keyed = await costOf(server, MADE, async (at) => {
    keys.push(await newKey(server, ids[at]));
  });
  await takeMeter(server);
  const first = await costOf(server, MADE, (at) => call(server, keys[at]));
  const called = await takeMeter(server);
  table.told(`a key of a tenant, N = ${count}: CPU`, keyed.cpuMs, "ms");
  table.told(`the first verdict, N = ${count}: CPU`, first.cpuMs, "ms", 12);
  table.told(`the first verdict, N = ${count}: rows written in it`, called.tenant.written / MADE);
  table.held(`after the first verdict, N = ${count}: bytes`, await sizeOf(ids[0]), 98_304);
}

const PASSED = 100;

/** The cost of a pass over sleeping tenants, also computed for 100,000. */
export async function checking(table, { server, count }) {
  for (let at = MADE; at < PASSED; at += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await admin(server, "PUT", `/admin/tenants/made-${at}`, SETTINGS);
  }
  await server.restart();
  await admin(server, "GET", "/admin/account");
  await takeMeter(server);
  const cpuMs = server.cpuMs();
  await admin(server, "POST", "/admin/invariants");
  let state = null;
  do {
    // oxlint-disable-next-line no-await-in-loop -- until it is done
    await sleep(250);
    // oxlint-disable-next-line no-await-in-loop
    ({ body: state } = await admin(server, "GET", "/admin/invariants"));
  } while (state.running !== null);
  const used = server.cpuMs() - cpuMs;
  const { tenant, account, alarm } = await takeMeter(server);
  const { checked, holds } = state.latest;
  const of = `a pass over ${checked} tenants that sleep, N = ${count}`;
  table.held(`${of}: tenants that it is wrong about`, holds === true ? 0 : 1, 0);
  table.told(`${of}: CPU each`, used / checked, "ms");
  table.told(`${of}: rows read each`, tenant.read / checked);
  table.told(
    `${of}: rows written each`,
    (tenant.written + account.written + alarm.written) / checked,
  );
  table.told("a pass over 100,000: CPU", (used / checked) * 100, "s");
  table.told("a pass over 100,000: rows read", (tenant.read / checked) * 100_000);
  table.told("a pass over 100,000: least time", ((100_000 / 50) * 3) / 60, "min");
}
