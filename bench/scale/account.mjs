// Measures the account's object among N tenants: messages, a spike, and the platform's requests.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nameOf, seedAccount } from "../../test/e2e/seed-account.mjs";
import { inspect } from "../inspector.mjs";
import { objectFile } from "../object-file.mjs";
import { median } from "../stats.mjs";
import { makeTenants } from "../tenants.mjs";
import { ADMIN_TOKEN, freePort, Workerd } from "../workerd.mjs";

/** Parts of all tenants: those with a share of the day, and those that ask within a minute. */
const SHARING = 0.3;
const ASKING = 0.05;

/** A cap and rates that are large enough for all tenants. */
const ACCOUNT = {
  daily_cap_neurons: 100_000_000,
  rpm: { text_generation: 1_000_000, text_classification: 1_000_000 },
};

const DAY_MS = 86_400_000;

const AT_ONCE = 16;

/** Messages in one request of the harness. */
const A_REQUEST = 500;

/** Messages of one measured round, and rounds: large and small in turn. */
const A_ROUND = 1_000;
const ROUNDS = 5;

/** A page of 200 reads each of its tenants in three places at most. */
const PAGE_ROWS = 606;

/** MiB: half of what an isolate may have. */
const MOST_HEAP = 64;

/** Requests over which the CPU is averaged, since the kernel counts it in steps of 10 ms. */
const REPEATS = 20;

export async function admin(server, method, path, body) {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
  return { text, body: text === "" ? null : JSON.parse(text) };
}

export async function harness(server, path, body) {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`${server.url}/scale/${path}`, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`/scale/${path}: ${response.status} ${text.slice(0, 500)}`);
  return JSON.parse(text);
}

export const takeMeter = (server) => harness(server, "meter");

/** CPU of the process and time, of one of some. */
export async function costOf(server, count, work) {
  const [cpuMs, startedMs] = [server.cpuMs(), performance.now()];
  for (let at = 0; at < count; at += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await work(at);
  }
  const wallMs = performance.now() - startedMs;
  return { cpuMs: (server.cpuMs() - cpuMs) / count, wallMs: wallMs / count };
}

const ids = (/** @type {number} */ some) => Array.from({ length: some }, (_, at) => nameOf(at));

/** An account with so many tenants, a day of whose past is there. */
export async function crowd(dir, bundle, count) {
  const inspector = await freePort();
  const server = new Workerd(join(dir, `n-${count}`), bundle, {}, [
    `--inspector-addr=127.0.0.1:${inspector}`,
  ]);
  await server.start();
  await makeTenants(server, ["first"]);
  await admin(server, "PATCH", "/admin/account", ACCOUNT);
  await admin(server, "POST", "/admin/webhooks", {
    url: "https://ops.platform.dev/",
    events: ["account.closed"],
  });
  // A share as the product writes it, to be copied.
  await ask(server, ["first"], 1);
  await server.stop();
  const sharing = Math.max(1, Math.round(count * SHARING));
  const file = objectFile(server.directory("Account"), "neurogate-Account", "account");
  const yesterday = Math.floor(Date.now() / DAY_MS) - 1;
  seedAccount(file, { count, day: yesterday, spent: Array(sharing).fill(30_000_000) });
  await server.start();
  const asking = ids(Math.max(1, Math.round(count * ASKING)));
  return { server, inspector, count, sharing: ids(sharing), asking, seq: 1 };
}

/** @returns how many were told what: `granted` has its lease and its permits */
async function ask(server, tenants, seq, more = {}) {
  const told = {};
  for (let at = 0; at < tenants.length; at += A_REQUEST) {
    const some = tenants.slice(at, at + A_REQUEST);
    // oxlint-disable-next-line no-await-in-loop -- one request after the other
    const answers = await harness(server, "asks", { tenants: some, seq, atOnce: AT_ONCE, ...more });
    for (const [by, count] of Object.entries(answers)) told[by] = (told[by] ?? 0) + count;
  }
  return told;
}

const nextAsk = (crowded, tenants, more) => {
  crowded.seq += 1;
  return ask(crowded.server, tenants, crowded.seq, more);
};

/** The first message of each tenant with a share. All must fit into a minute. */
export async function spike(table, crowded) {
  const { server, sharing, count } = crowded;
  await nextAsk(crowded, ["first"]);
  await takeMeter(server);
  const [cpuMs, startedMs] = [server.cpuMs(), performance.now()];
  const told = await nextAsk(crowded, sharing);
  const seconds = (performance.now() - startedMs) / 1000;
  const used = server.cpuMs() - cpuMs;
  const { account, called } = await takeMeter(server);
  const of = `spike of ${sharing.length} first messages, N = ${count}`;
  table.held(`${of}: not granted a lease and permits`, sharing.length - (told.granted ?? 0), 0);
  table.held(`${of}: tenants woken`, called, 0);
  table.told(`${of}: of one core, in a minute`, used / 600, "%", 70);
  table.told(`${of}: CPU a message`, used / sharing.length, "ms", 2);
  table.told(`${of}: all answered after`, seconds, "s", 60);
  table.told(`${of}: rows written a message`, account.written / sharing.length);
}

/** Messages of those that asked within the minute, in turn, until a round is full. */
async function round(crowded) {
  const { server, asking } = crowded;
  let left = A_ROUND;
  // An object that waited for ten seconds was put away: its start is not of this round.
  await nextAsk(crowded, asking.slice(0, 1));
  await takeMeter(server);
  const cpuMs = server.cpuMs();
  while (left > 0) {
    // oxlint-disable-next-line no-await-in-loop -- a tenant's messages are numbered
    await nextAsk(crowded, asking.slice(0, left));
    left -= Math.min(left, asking.length);
  }
  const used = (server.cpuMs() - cpuMs) / A_ROUND;
  return { used, meter: await takeMeter(server) };
}

/** Compares a message among many tenants with one among few, both processes in turn. */
export async function messages(table, few, many) {
  const took = { few: [], many: [], ratios: [], meters: [] };
  for (const crowded of [few, many]) {
    // oxlint-disable-next-line no-await-in-loop -- who asked in the minute: not counted
    await nextAsk(crowded, crowded.asking);
  }
  for (let at = 0; at < ROUNDS; at += 1) {
    // oxlint-disable no-await-in-loop -- one measurement at a time
    const [small, large] = [await round(few), await round(many)];
    // oxlint-enable no-await-in-loop
    took.few.push(small.used);
    took.many.push(large.used);
    took.ratios.push(large.used / small.used);
    took.meters.push(large.meter);
  }
  const each = (of) => median(took.meters.map(of)) / A_ROUND;
  const of = `a lease and permits, N = ${many.count}`;
  table.told(`${of}: CPU`, median(took.many), "ms", 2);
  table.told(`the same, N = ${few.count}: CPU`, median(took.few), "ms");
  table.held(`${of}: of N = ${few.count}`, median(took.ratios), 1.5, "x");
  table.held(
    `${of}: messages that were not counted`,
    Math.abs(each(({ messages: some }) => some) - 1),
    0,
  );
  table.held(
    `${of}: rows read`,
    each(({ account }) => account.read),
    5,
  );
  // One, and what is written ahead for all of them.
  table.held(
    `${of}: rows written`,
    each(({ account }) => account.written),
    1.1,
  );
  table.held(`${of}: tenants woken`, Math.max(...took.meters.map(({ called }) => called)), 0);
}

/** The platform's acts on an account with so many tenants. */
export async function acts(table, crowded) {
  const { server, count } = crowded;
  const of = `N = ${count}`;
  await takeMeter(server);
  const patch = await costOf(server, REPEATS, (at) =>
    admin(server, "PATCH", "/admin/account", { safety_margin_neurons: at + 1 }),
  );
  table.told(`PATCH /admin/account, ${of}: CPU`, patch.cpuMs, "ms", 50);
  table.told(`PATCH /admin/account, ${of}: time`, patch.wallMs, "ms", 50);
  table.held(`PATCH /admin/account, ${of}: tenants woken`, (await takeMeter(server)).called, 0);

  const events = await harness(server, "rows/events");
  const knowing = crowded.sharing.slice(0, 50);
  const closing = await costOf(server, 1, () => nextAsk(crowded, knowing, { exhausted: true }));
  table.told(
    `a closed day of which ${knowing.length} calls hear, ${of}: CPU each`,
    closing.cpuMs / knowing.length,
    "ms",
    50,
  );
  table.held(`closing, ${of}: tenants woken`, (await takeMeter(server)).called, 0);
  const told = (await harness(server, "rows/events")) - events;
  table.held(`closing, ${of}: events beside the one`, Math.abs(told - 1), 0);

  const reopened = await costOf(server, 1, async () => {
    const { body } = await admin(server, "POST", "/admin/account/reopen");
    table.held(`reopen, ${of}: tenants that were not to be told`, body.tenants - knowing.length, 0);
  });
  table.told(`reopen, ${of}: time`, reopened.wallMs, "ms", 50);
  await sleep(500);
  // By the alarm that follows, not by the request.
  const { called, told: heard } = await takeMeter(server);
  table.held(`reopen, ${of}: tenants woken in the request`, called, 0);
  table.held(`reopen, ${of}: told later beside those that know`, heard - knowing.length, 0);
}

/** The platform's reads of an account with so many tenants. */
export async function reads(table, crowded) {
  const { server, count } = crowded;
  const paths = {
    "GET /admin/account": "/admin/account",
    "GET /admin/tenants?limit=200": "/admin/tenants?limit=200",
    "GET /admin/tenants?limit=200&sort=spent": "/admin/tenants?limit=200&sort=spent",
    "GET /admin/tenants of a prefix": `/admin/tenants?limit=200&prefix=${nameOf(count - 10).slice(0, -1)}`,
    "GET /admin/tenants?state=suspended, nobody": "/admin/tenants?limit=200&state=suspended",
    "GET /admin/account/tenants?limit=200&sort=spent":
      "/admin/account/tenants?limit=200&sort=spent",
  };
  for (const [name, path] of Object.entries(paths)) {
    // oxlint-disable no-await-in-loop -- one measurement at a time
    const { text } = await admin(server, "GET", path);
    await takeMeter(server);
    const cost = await costOf(server, REPEATS, () => admin(server, "GET", path));
    const meter = await takeMeter(server);
    // oxlint-enable no-await-in-loop
    table.told(`${name}, N = ${count}: CPU`, cost.cpuMs, "ms", 20);
    table.told(`${name}, N = ${count}: time`, cost.wallMs, "ms", 20);
    table.held(`${name}, N = ${count}: bytes`, text.length, 65_536);
    table.held(`${name}, N = ${count}: tenants' objects`, meter.called, 0);
    table.held(`${name}, N = ${count}: rows read`, meter.account.read / REPEATS, PAGE_ROWS);
  }
}

/**
 * Memory of the isolate, without garbage, in MiB: objects, and the numbers of typed arrays, which V8 keeps
 * outside its heap.
 */
async function heapOf({ server, inspector }) {
  const { ask: inspected, close } = await inspect(inspector);
  await harness(server, "collect");
  const { usedSize, backingStorageSize } = await inspected("Runtime.getHeapUsage");
  close();
  return (usedSize + backingStorageSize) / 2 ** 20;
}

/**
 * Memory of the account's object while all tenants with a share are asking, compared with one with few
 * tenants. It includes the names that the harness remembers.
 */
export async function memory(table, few, many) {
  const used = (await heapOf(many)) - (await heapOf(few));
  table.held(`heap after the spike, N = ${many.count}`, used, MOST_HEAP, "MiB");
}

/** Restarts the process, wakes the account, and returns its use of CPU and memory. */
async function wokenAnew(crowded) {
  const { server } = crowded;
  await server.restart();
  const startedMs = performance.now();
  await admin(server, "GET", "/admin/account");
  const [cpuMs, wallMs, rss] = [server.cpuMs(), performance.now() - startedMs, server.rss()];
  const { account, alarm } = await takeMeter(server);
  const heap = await heapOf(crowded);
  return { cpuMs, wallMs, rss, heap, rows: account.read + alarm.read };
}

/** The restart of an account's object with shares of two days, compared with one with few tenants. */
export async function wake(table, few, many) {
  const small = await wokenAnew(few);
  const large = await wokenAnew(many);
  const of = `wake of the account, N = ${many.count}, ${many.sharing.length} shares a day`;
  table.told(`${of}: CPU`, large.cpuMs - small.cpuMs, "ms", 1000);
  table.told(`${of}: time`, large.wallMs, "ms");
  table.told(`${of}: rows read`, large.rows);
  table.held(`${of}: heap`, large.heap - small.heap, MOST_HEAP, "MiB");
  table.told(`${of}: resident, with SQLite's own`, (large.rss - small.rss) / 2 ** 20, "MiB");
}
