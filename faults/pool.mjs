// npm run test:pool -- [--seed N] [--tenants 50] [--neurons 10000] [--minutes 2]
//   [--speed N] [--of neurons|hostile|rates] [--busy]
//
// Tenants that share one Cloudflare account all want all of it at once, in the real server process: its
// neurons, then its neurons beside two hostile tenants, then its rate of text generations. The process
// is killed with -9, single objects are aborted, and messages between them get lost. The clock runs
// ahead, so that leases and minutes end while calls wait. The rows are read from the files and checked.
// docs/proof.md lists the checks.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  askedBy,
  checkNeurons,
  checkConfirmed,
  dayOf,
  fullestMinute,
  mostInASecond,
  perMinute,
  readPool,
  total,
  WINDOW_MS,
} from "./pool-rows.mjs";
import { drawnSeed, Random } from "./random.mjs";
import { buildWorker, Workerd } from "./workerd.mjs";

/* oxlint-disable no-await-in-loop -- one life after the other, and in each one call after the other */

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    tenants: { type: "string", default: "50" },
    neurons: { type: "string", default: "10000" },
    minutes: { type: "string", default: "2" },
    speed: { type: "string" },
    of: { type: "string" },
    busy: { type: "boolean", default: false },
  },
});
const SEED = Number(values.seed ?? drawnSeed());
const TENANTS = Number(values.tenants);
const NEURONS = Number(values.neurons);
const MINUTES = Number(values.minutes);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const SIZE = NEURONS * 1e6;

/** The longest life of a process in real time; four times that for rates. */
const LIFE_MS = Math.min(6000, 20 * NEURONS);

/** The cost of one picture in µN. */
const PICTURE = 228_055;

/** Text generations a minute for all tenants together. */
const GENERATIONS = 300;

/** The clock runs this many times faster, so leases and minutes end sooner. */
const SPEEDS = { neurons: Number(values.speed ?? 3), rates: Number(values.speed ?? 1) };

/** The share of messages between tenants' objects and the account that get lost. */
const LOST_SHARE = 0.03;

/** Calls of a tenant at once. */
const AT_ONCE = 16;

/** The pause after a refusal, in real time. */
const REFUSED_WAIT_MS = 100;

/** The longest time, in minutes of the server, until tenants have used the whole pool. */
const MOST_MINUTES = 60;

/**
 * How many fewer calls one tenant may get than another if both want more. It is an even share of a
 * minute: one may take it at the beginning of the measured time and the other at its end.
 */
const UNFAIR_BY = Math.ceil(GENERATIONS / TENANTS / 0.8);

/** The smallest usable share of the pool, and of the rate. */
const USABLE = 0.99;
const USABLE_RATE = 0.75;

/** The smallest number of admissions for each message about neurons. */
const PER_MESSAGE = 50;

/** The largest number of messages of one hostile tenant within a second, with requests to give back. */
const MOST_HOSTILE = 24;

/** A run that takes longer hangs. */
const DEADLINE_MS = 300_000 + (2 * MINUTES + MOST_MINUTES) * (WINDOW_MS / SPEEDS.neurons);

const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);
const replay = `npm run test:pool -- --seed ${SEED} --tenants ${TENANTS} --neurons ${NEURONS} --minutes ${MINUTES}${values.speed ? ` --speed ${values.speed}` : ""}`;

const dir = mkdtempSync(join(tmpdir(), "neurogate-pool-"));
const ADMIN_TOKEN = randomBytes(32).toString("base64url");
const secrets = { ADMIN_TOKEN, KEY_SECRETS: randomBytes(32).toString("base64url") };

/** The clock of all processes of a part. Each process goes on where the one before was killed. */
const clock = { fromMs: 0, offsetMs: 0, speed: 1 };

/** Sets the clock to one o'clock and lets it run `speed` times as fast. */
function setClock(/** @type {number} */ speed) {
  const fromMs = Date.now();
  Object.assign(clock, { fromMs, offsetMs: DAY_MS - (fromMs % DAY_MS) + HOUR_MS, speed });
}

const serverNow = () =>
  Date.now() + clock.offsetMs + Math.floor((Date.now() - clock.fromMs) * (clock.speed - 1));

/** @type {Workerd | null} */
let server = null;
let state = 0;

/** Starts a new server without data. */
async function fresh(plan) {
  await server?.kill();
  state += 1;
  server = new Workerd({
    bundle: join(dir, "bundle"),
    stateDir: join(dir, `state-${state}`),
    bindings: { ...secrets, INFERENCE: "embedded", CLOUDFLARE_PLAN: plan },
    entry: "pool-entry.js",
  });
  await start(0);
}

const start = (lostShare) =>
  server.start({
    CLOCK_OFFSET_MS: clock.offsetMs,
    CLOCK_FAST_FROM_MS: clock.fromMs,
    CLOCK_SPEED: clock.speed,
    LOST_SHARE: lostShare,
    ...(lostShare === 0 && { IS_CALM: "yes" }),
  });

async function send(method, path, body) {
  const reply = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await reply.text();
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
  return JSON.parse(text);
}

const settings = (own) => ({
  plan: "free",
  daily_neurons: 10_000,
  max_in_flight: 10_000,
  ...own,
  rpm: {
    requests: 1_000_000,
    text_generation: 1_000_000,
    text_classification: 1_000_000,
    image_classification: 1_000_000,
  },
});

/**
 * @typedef {object} Tenant
 * @property {string} id
 * @property {object} settings
 * @property {"greedy" | "late" | "modest" | "dear" | "erratic"} wants late: starts when the others have
 *   used what they can get; dear: calls with the largest hold that cost nothing; erratic: calls that are
 *   too large and small ones, in turn
 * @property {number} floor µN
 * @property {Set<string>} confirmed calls whose admission was confirmed to a client
 * @property {string | null} refused the kind of its latest call's refusal
 */

/** @returns {Tenant} */
const tenant = (number, { wants, floor = 0, ...own }) => ({
  id: `t-${String(number).padStart(2, "0")}`,
  settings: settings({ ...own, reserved_neurons: floor }),
  wants,
  floor: floor * 1e6,
  confirmed: new Set(),
  refused: null,
});

/** Of every ten tenants two have a floor, one of them starts late, and a third wants little. */
const poolTenant = (number) => {
  const floor = NEURONS / TENANTS / 2;
  if (number % 10 === 0) return tenant(number, { wants: "greedy", floor });
  if (number % 10 === 1) return tenant(number, { wants: "late", floor });
  if (number % 10 === 2) {
    return tenant(number, { wants: "modest", daily_neurons: NEURONS / TENANTS / 4 });
  }
  return tenant(number, { wants: "greedy" });
};

const HOSTILE = ["dear", "erratic"];

const isHostile = ({ wants }) => HOSTILE.includes(wants);

const counts = { lives: 0, aborts: 0, broken: 0, refused: new Map() };

/** Makes some calls of a tenant at once. Throws if a reply is wrong. */
async function someCalls(of, calls) {
  const replies = await send("POST", "/harness/calls", { tenant: of.id, calls });
  for (const { kind, id, wrong } of replies) {
    if (kind === "admitted") {
      of.confirmed.add(id);
      of.refused = null;
    } else if (kind === "broken" || kind === "unavailable") {
      counts.broken += 1;
    } else {
      of.refused = kind;
      counts.refused.set(kind, (counts.refused.get(kind) ?? 0) + 1);
    }
    assert.equal(wrong, undefined, `${of.id}: ${wrong}`);
  }
  return replies.some(({ kind }) => kind !== "admitted");
}

/** Repeats `step` until the life is over. Errors after that are expected. */
async function untilKilled(life, work) {
  while (!life.over && life.fault === null) {
    try {
      await work();
    } catch (error) {
      if (life.over && !(error instanceof assert.AssertionError)) return;
      life.fault ??= error;
    }
  }
}

/** The work that a tenant's client repeats. */
function pictures(of, random, isOpen) {
  if (isHostile(of)) return hostilePictures(of);
  return async () => {
    if (of.wants === "late" && !isOpen()) return sleep(REFUSED_WAIT_MS);
    // For a tenant with a floor, the rest of the floor is known after each single call.
    const count = of.floor > 0 && random.chance(0.5) ? 1 : AT_ONCE;
    const calls = Array.from({ length: count }, () => ({
      content: 1,
      end: of.floor > 0 ? "posted" : random.pick(ENDS),
    }));
    if (await someCalls(of, calls)) await sleep(REFUSED_WAIT_MS);
  };
}

/** Calls as fast as it can, whatever the answers are. */
function hostilePictures(of) {
  const largest = Math.floor((0.2 * SIZE) / PICTURE);
  return async () => {
    if (of.wants === "dear") {
      // It would take all of the pool.
      const dear = Array.from({ length: 6 }, () => ({ content: largest, end: "voided_late" }));
      await someCalls(of, dear);
    } else {
      const large = { content: Math.ceil(largest / 2), end: "voided" };
      await someCalls(of, [
        large,
        { content: 1, end: "posted" },
        { ...large, content: largest + 1 },
      ]);
    }
    await sleep(5);
  };
}

/** Most calls are charged, some are voided, and some are never settled and so charged at their deadline. */
const ENDS = [...Array.from({ length: 37 }, () => "posted"), "voided", "voided", "left"];

function texts(of, random) {
  return async () => {
    const count = of.wants === "modest" ? 1 : 8;
    const refused = await someCalls(
      of,
      Array.from({ length: count }, () => ({ content: "text", end: "posted" })),
    );
    // This one calls twice a minute; the others several times a second.
    const waitMs =
      of.wants === "modest" ? 30_000 / clock.speed : refused ? random.integer(20, 80) : 0;
    await sleep(waitMs);
  };
}

/** Aborts single objects, of tenants and of the account, while the process lives. */
function breaker(tenants, random) {
  return async () => {
    await sleep(random.integer(50, 400));
    counts.aborts += 1;
    const of = random.chance(0.2) ? null : random.pick(tenants).id;
    await send("POST", "/harness/abort", { tenant: of });
  };
}

/** Runs one process until it is killed in the middle of its work. */
async function oneLife(tenants, clientOf, { lifeMs, isCalm = false }) {
  counts.lives += 1;
  const life = { over: false, fault: null };
  await start(isCalm ? 0 : LOST_SHARE);
  const random = new Random(SEED, state, counts.lives);
  const work = [
    ...tenants.map((of, number) => {
      const own = new Random(SEED, state, counts.lives, number);
      return untilKilled(life, clientOf(of, own));
    }),
    ...(isCalm ? [] : [untilKilled(life, breaker(tenants, random))]),
  ];
  const untilMs = Date.now() + lifeMs;
  while (Date.now() < untilMs && life.fault === null) await sleep(20);
  life.over = true;
  await server.kill();
  await Promise.all(work);
  if (life.fault !== null) throw life.fault;
  const rows = readPool(server.stateDir, join(dir, "scratch"));
  checkConfirmed(rows, new Map(tenants.map(({ id, confirmed }) => [id, confirmed])));
  return rows;
}

/** All tenants want the pool's neurons at full load. */
async function neurons() {
  const tenants = Array.from({ length: TENANTS }, (_, number) => poolTenant(number));
  setClock(SPEEDS.neurons);
  await fresh("free");
  await send("PATCH", "/admin/account", {
    daily_cap_neurons: NEURONS,
    rpm: { image_classification: 1_000_000 },
  });
  for (const { id, settings: own } of tenants) await send("PUT", `/admin/tenants/${id}`, own);
  await server.kill();
  const day = dayOf(serverNow());
  const untilMs = serverNow() + MOST_MINUTES * WINDOW_MS;
  let lateFrom = null;
  for (;;) {
    const lifeMs = new Random(SEED, state, counts.lives, 2000).integer(LIFE_MS / 6, LIFE_MS);
    const isOpen = () => lateFrom !== null;
    const client = (of, random) => pictures(of, random, isOpen);
    const rows = await oneLife(tenants, client, { lifeMs });
    const { used, admitted } = checkNeurons(rows, { day, size: SIZE });
    const calls = total([...rows.tenants.values()].map(({ lines }) => lines.length));
    say(
      `life ${String(counts.lives).padStart(3)}: ${String(lifeMs).padStart(4)} ms; ${calls} calls, ` +
        `${neuronsOf(admitted)} N of ${NEURONS}; ${total(rows.asked.map(({ times }) => times))} messages`,
    );
    const kept = total(late(tenants).map(({ id, floor }) => Math.max(0, floor - used.get(id))));
    if (lateFrom === null && admitted + kept >= USABLE * SIZE) lateFrom = admitted;
    assert.ok(
      serverNow() < untilMs,
      `only ${neuronsOf(admitted)} N of ${NEURONS} could be used, ${neuronsOf(kept)} N of floors were not`,
    );
    const haveFloors = late(tenants).every(({ id, floor }) => used.get(id) > floor - PICTURE);
    const isUsed = lateFrom !== null && admitted >= USABLE * SIZE && haveFloors;
    if (isUsed && greedy(tenants).every(({ refused }) => refused !== null)) {
      return auditUse(tenants, { rows, used, admitted, calls, lateFrom });
    }
  }
}

const greedy = (tenants) => tenants.filter(({ wants }) => wants === "greedy");
const late = (tenants) => tenants.filter(({ wants }) => wants === "late");
const modest = (tenants) => tenants.filter(({ wants }) => wants === "modest");

/** Checks the rows when no tenant gets anything any more. */
function auditUse(tenants, { rows, used, admitted, calls, lateFrom }) {
  const { granted, refused, reported } = askedBy(rows, () => true);
  const asked = granted + refused + reported;
  const shares = greedy(tenants)
    .filter(({ floor }) => floor === 0)
    .map(({ id }) => used.get(id));
  say(
    `${calls} calls of ${TENANTS} tenants admitted, ${neuronsOf(admitted)} N of ${NEURONS} ` +
      `(${((100 * admitted) / SIZE).toFixed(2)} %), ${neuronsOf(lateFrom)} N when the tenants came ` +
      `whose floors were kept; ${asked} messages about neurons (${granted} granted, ` +
      `${refused} refused, ${reported} reports), one for ${(calls / asked).toFixed(1)} ` +
      "admissions; tenants that wanted more and " +
      `have no floor got ${neuronsOf(Math.min(...shares))} to ${neuronsOf(Math.max(...shares))} N`,
  );
  // In a smaller pool a lease is a hundredth of it, so it is enough for few calls only.
  const least = PER_MESSAGE * Math.min(1, NEURONS / 10_000);
  assert.ok(calls >= least * asked, `${asked} messages about neurons for ${calls} admissions`);
}

const neuronsOf = (/** @type {number} */ amount) => (amount / 1e6).toFixed(1);

/**
 * The same pool beside two hostile tenants, without kills and losses: no tenant is refused within its
 * share of the unspent neurons. `pool-entry.js` checks each refusal when it is made.
 */
async function hostile() {
  const honest = Array.from({ length: TENANTS }, (_, number) => poolTenant(number));
  const others = HOSTILE.map((wants) => ({ ...tenant(0, { wants }), id: `hostile-${wants}` }));
  const tenants = [...others, ...honest];
  setClock(SPEEDS.neurons);
  await fresh("free");
  await send("PATCH", "/admin/account", {
    daily_cap_neurons: NEURONS,
    rpm: { image_classification: 1_000_000 },
  });
  for (const { id, settings: own } of tenants) await send("PUT", `/admin/tenants/${id}`, own);
  await server.kill();
  const day = dayOf(serverNow());
  const untilMs = serverNow() + MOST_MINUTES * WINDOW_MS;
  for (;;) {
    const client = (of, random) => pictures(of, random, () => false);
    const rows = await oneLife(tenants, client, { lifeMs: 4 * LIFE_MS, isCalm: true });
    const { used, admitted } = checkNeurons(rows, { day, size: SIZE });
    const kept = total(late(tenants).map(({ floor }) => floor));
    say(`beside hostile tenants: ${neuronsOf(admitted)} N of ${NEURONS}`);
    assert.ok(serverNow() < untilMs, `only ${neuronsOf(admitted)} N of ${NEURONS} could be used`);
    if (admitted + kept >= 0.95 * SIZE) return auditHostile(honest, others, { rows, used });
  }
}

const among = (some) => (id) => some.some((one) => one.id === id);

function auditHostile(honest, others, { rows, used }) {
  const calls = total(honest.map(({ id }) => rows.tenants.get(id).lines.length));
  const asked = total(Object.values(askedBy(rows, among(honest))));
  const theirs = askedBy(rows, among(others));
  const most = mostInASecond(rows, among(others));
  const shares = greedy(honest).map(({ id }) => used.get(id));
  say(
    `${calls} calls of ${honest.length} honest tenants beside two hostile ones, none refused within ` +
      `its share; ${asked} messages about neurons, one for ${(calls / asked).toFixed(1)} admissions; ` +
      `the hostile ones sent ${total(Object.values(theirs))} (${theirs.granted} granted, ` +
      `${theirs.refused} refused, ${theirs.reported} reports), at most ${most} each in a second; ` +
      `tenants that wanted more got ${neuronsOf(Math.min(...shares))} to ` +
      `${neuronsOf(Math.max(...shares))} N`,
  );
  const least = PER_MESSAGE * Math.min(1, NEURONS / 10_000);
  assert.ok(calls >= least * asked, `${asked} messages about neurons for ${calls} admissions`);
  assert.ok(most <= MOST_HOSTILE, `${most} messages of a hostile tenant in a second`);
}

/** All tenants want the account's text generations for some minutes: first with faults, then without. */
async function rates() {
  const tenants = Array.from({ length: TENANTS }, (_, number) =>
    tenant(number, { wants: number % 5 === 0 ? "modest" : "greedy" }),
  );
  setClock(SPEEDS.rates);
  await fresh("paid");
  for (const { id, settings: own } of tenants) await send("PUT", `/admin/tenants/${id}`, own);
  await server.kill();
  const calmFromMs = serverNow() + MINUTES * WINDOW_MS;
  while (serverNow() < calmFromMs) {
    const random = new Random(SEED, state, counts.lives, 2000);
    const lifeMs = Math.min(random.integer(LIFE_MS, 4 * LIFE_MS), realMs(calmFromMs));
    auditRates(await oneLife(tenants, texts, { lifeMs }));
  }
  assert.ok(counts.refused.get("rate_limited") > 0, "no call was refused for the rate");
  // On a busy machine a minute at this speed is too short to be shared evenly.
  if (values.busy) return;
  // After two more minutes every tenant has been refused, so the account knows that all want more.
  const from = serverNow() + 2 * WINDOW_MS;
  const untilMs = from + MINUTES * WINDOW_MS;
  const lifeMs = realMs(untilMs) + 500;
  const rows = await oneLife(tenants, texts, { lifeMs, isCalm: true });
  auditRates(rows);
  auditFairness(tenants, perMinute(rows, from, untilMs), fullestMinute(rows));
}

const realMs = (/** @type {number} */ untilMs) =>
  Math.max(0, Math.ceil((untilMs - serverNow()) / clock.speed));

function auditRates(rows) {
  const most = fullestMinute(rows);
  assert.ok(most <= GENERATIONS, `${most} text generations in a minute of ${GENERATIONS}`);
}

/** Checks the part without faults. */
function auditFairness(tenants, byMinute, fullest) {
  const of = (some) => some.map(({ id }) => byMinute.get(id));
  const widest = Math.max(
    ...Array.from({ length: MINUTES }, (_, minute) => {
      const some = of(greedy(tenants)).map((minutes) => minutes[minute]);
      return Math.max(...some) - Math.min(...some);
    }),
  );
  const sums = of(greedy(tenants)).map(total);
  const few = of(modest(tenants)).map(total);
  const average = total(of(tenants).map(total)) / MINUTES;
  say(
    `at most ${fullest} text generations in a rolling minute of ${GENERATIONS}, through all kills; ` +
      `without faults ${average.toFixed(1)} a minute; tenants that wanted more got ` +
      `${Math.min(...sums)} to ${Math.max(...sums)} in ${MINUTES} minutes, with a difference of at ` +
      `most ${widest} in a minute; ` +
      `tenants that wanted two a minute got ${Math.min(...few)} to ${Math.max(...few)}`,
  );
  const apart = Math.max(widest, Math.max(...sums) - Math.min(...sums));
  assert.ok(apart <= UNFAIR_BY, `a tenant got ${apart} calls less than another`);
  assert.ok(average >= USABLE_RATE * GENERATIONS, `only ${average} of ${GENERATIONS} a minute`);
}

async function run() {
  await buildWorker(join(dir, "bundle"));
  const parts = { neurons, hostile, rates };
  for (const [name, part] of Object.entries(parts)) {
    if (values.of === undefined || values.of === name) await part();
  }
  const kinds = [...counts.refused].map(([kind, count]) => `${count} ${kind}`).join(", ");
  say(
    `seed ${SEED}: ${counts.lives} kills, ${counts.aborts} objects aborted, ${counts.broken} calls ` +
      `cut short; refused: ${kinds}. Everything holds.`,
  );
}

const watchdog = setTimeout(() => {
  process.stderr.write(`not done after ${DEADLINE_MS} ms; replay: ${replay}\n`);
  void server?.kill().finally(() => process.exit(1));
}, DEADLINE_MS);

say(replay);
try {
  await run();
} catch (error) {
  process.stderr.write(`${error.stack ?? error}\nreplay: ${replay}\n`);
  process.exitCode = 1;
} finally {
  clearTimeout(watchdog);
  await server?.kill();
  rmSync(dir, { recursive: true, force: true });
}
