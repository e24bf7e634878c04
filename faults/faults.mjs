// npm run test:faults -- [--seed N] [--kills 50]
//
// Kills the real server process with -9 at random moments under a load of mixed calls, while its engines
// fail in every way and its clock crosses midnights. After each kill the rows are read from the files.
// Then the process is started again, and its answers are compared with the rows and with every reply
// that a client ever got. docs/proof.md lists the checks.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startFakeWorkersAi } from "../test/fakes/workers-ai-server.mjs";
import { auditAnswers, auditVerdicts, send, Snapshots } from "./answers.mjs";
import {
  ALONE,
  callWithFault,
  CHANGING_NEURONS,
  drawCall,
  MARKER,
  nothingSeen,
  seenIn,
  TENANTS,
  UNBOUNDED_RATES,
} from "./load.mjs";
import { drawnSeed, Random } from "./random.mjs";
import { readRows, RowsAudit } from "./rows.mjs";
import { buildWorker, Workerd } from "./workerd.mjs";

/* oxlint-disable no-await-in-loop -- one life after the other, and in each one call after the other */

const { values } = parseArgs({
  options: { seed: { type: "string" }, kills: { type: "string", default: "50" } },
});
const SEED = Number(values.seed ?? drawnSeed());
const KILLS = Number(values.kills);

const CLIENTS = 40;
const DAY_MS = 86_400_000;

/** A little more than the deadline of a stream's hold, which is the longest. */
const PAST_DEADLINE_MS = 695_000;

/** The engines' timeouts of 10 s and 25 s become 125 and 310 ms, so that a hang ends within a life. */
const TIMEOUT_DIVISOR = 80;

/** A reply comes within this time, whatever an engine does: hundreds of ms, ten times that if busy. */
const ANSWERED_MS = 10_000;

/** Within this time the account's alarm tells refused tenants that the day is open again. */
const HEARD_MS = 30_000;

/** The share of messages to an object, and of its answers, that get lost. The router repeats them. */
const LOST_SHARE = 0.06;

/** A repeat after 24 hours is a new call. The clock jumps, so a little less. */
const KEPT_MS = DAY_MS - 3_600_000;

/** A client that was refused waits a little. */
const REFUSED_WAIT_MS = 25;

/** A run that takes longer hangs: ten seconds a life. */
const DEADLINE_MS = 60_000 + KILLS * 10_000;

const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);
const secret = () => randomBytes(32).toString("base64url");

const dir = mkdtempSync(join(tmpdir(), "neurogate-faults-"));
const secrets = { KEY_SECRETS: secret(), ADMIN_TOKEN: secret() };

/** @type {import("./load.mjs").Call[]} */
const calls = [];
/** Keys by tenant; `current` is in force. `dead` keys were ended, and an answer confirmed it. */
const keys = new Map(
  Object.keys(TENANTS).map((id) => [id, { current: "", id: "", ending: false, dead: [] }]),
);
const counts = {
  cut: 0,
  succeeded: 0,
  refused: 0,
  replayed: 0,
  twice: 0,
  rotations: 0,
  midnights: 0,
  jumps: 0,
};
const refusals = new Map();
const snapshots = new Snapshots();
const rowsAudit = new RowsAudit();
const allKeys = new Set();

const fakeAi = await startFakeWorkersAi();
/** @type {Workerd} */
let server;
let clockOffsetMs = 0;
/** The first fault; it ends the life. @type {{ fault: Error | null }} */
const found = { fault: null };

const serverNow = () => Date.now() + clockOffsetMs;

/** With `jumpAtMs` the clock jumps in the middle of the life, so that holds expire during calls. */
const start = ({ jumpAtMs = 0, lostShare = 0 } = {}) =>
  server.start({
    CLOCK_OFFSET_MS: clockOffsetMs,
    CLOCK_JUMP_AT_MS: jumpAtMs,
    CLOCK_JUMP_MS: jumpAtMs === 0 ? 0 : PAST_DEADLINE_MS,
    TIMEOUT_DIVISOR,
    LOST_SHARE: lostShare,
  });

async function admin(method, path, body) {
  const reply = await send(server.url, method, path, { key: secrets.ADMIN_TOKEN, body });
  assert.ok(reply.status < 300, `${method} ${path}: ${JSON.stringify(reply.body)}`);
  return reply.body;
}

async function issueKey(tenant) {
  const { id, key } = await admin("POST", `/admin/tenants/${tenant}/keys`, { role: "manage" });
  allKeys.add(key);
  Object.assign(keys.get(tenant), { current: key, id, ending: false });
}

/** Work that goes on until the process is killed. Errors after the kill are expected. */
async function untilKilled(life, work) {
  while (!life.over && found.fault === null) {
    try {
      await work();
    } catch (error) {
      if (life.over) return;
      const broken = error instanceof TypeError || error.name === "TimeoutError";
      found.fault ??= broken ? new Error("the server ended by itself", { cause: error }) : error;
    }
  }
}

async function attempt(call, life) {
  const { current } = keys.get(call.tenant);
  try {
    const reply = await send(server.url, "POST", call.path, {
      key: current,
      body: call.body,
      headers: call.keyed ? { "idempotency-key": `"${call.name}"` } : {},
    });
    const { current: now, ending } = keys.get(call.tenant);
    if (reply.status === 401 && (ending || now !== current)) {
      call.seen.push(nothingSeen(401));
      return null;
    }
    const seen = seenIn(reply, call, life.clockJumps);
    call.seen.push(seen);
    if (seen.kind === null) counts.succeeded += 1;
    else {
      counts.refused += 1;
      refusals.set(seen.kind, (refusals.get(seen.kind) ?? 0) + 1);
    }
    if (seen.replayed) counts.replayed += 1;
    return seen;
  } catch (error) {
    if (!life.over || error instanceof SyntaxError || !(error instanceof TypeError)) throw error;
    counts.cut += 1;
    call.seen.push(nothingSeen(0));
    return null;
  }
}

/** Draws new calls, and repeats those that the last life cut short. */
const client = (number, life, unsure) => {
  const random = new Random(SEED, life.number, number);
  return untilKilled(life, async () => {
    const again = random.chance(0.4) ? unsure.pop() : undefined;
    const call = again ?? drawCall(random, serverNow());
    if (again === undefined) calls.push(call);
    const twice = call.keyed && random.chance(0.05);
    if (twice) counts.twice += 1;
    const seen = await Promise.all([attempt(call, life), ...(twice ? [attempt(call, life)] : [])]);
    if (seen.some((one) => one?.kind)) await sleep(REFUSED_WAIT_MS);
  });
};

/** Ends keys while they are in use. A key whose end was confirmed must never work again. */
const rotator = (life) => {
  const random = new Random(SEED, life.number, 1000);
  return untilKilled(life, async () => {
    await sleep(random.integer(100, 500));
    const own = keys.get("rotating");
    const { current, id } = own;
    const overlap = random.pick([0, 0, 3600]);
    const path = `/v1/keys/${id}/rotate`;
    own.ending = true;
    const { status, body } = await send(server.url, "POST", path, {
      key: current,
      body: { overlap_s: overlap },
    });
    assert.equal(status, 201, `rotate: ${JSON.stringify(body)}`);
    allKeys.add(body.key);
    Object.assign(own, { current: body.key, id: body.id, ending: false });
    if (overlap === 0) own.dead.push(current);
    counts.rotations += 1;
  });
};

/** Reads a tenant's limits again and again: `posted` must never go back between two reads. */
const watcher = (tenant, life) => {
  const random = new Random(SEED, life.number, 1001);
  return untilKilled(life, async () => {
    await sleep(random.integer(5, 25));
    await snapshots.look(server.url, tenant, keys.get(tenant).current);
    if (random.chance(0.5)) await snapshots.lines(server.url, tenant, keys.get(tenant).current);
  });
};

/** The platform's acts: it changes settings under load and reopens the account. */
const platform = (life) => {
  const random = new Random(SEED, life.number, 1002);
  return untilKilled(life, async () => {
    await sleep(random.integer(50, 250));
    const neurons = random.pick(CHANGING_NEURONS);
    await admin("PATCH", "/admin/tenants/changing", { daily_neurons: neurons });
    if (random.chance(0.5)) await admin("POST", "/admin/account/reopen");
  });
};

/**
 * Chooses the clock of the next life: it goes on, is set past every deadline before the start, jumps
 * past them during calls, or crosses midnight.
 */
function moveClock(random, lifeMs) {
  const move = random.weighted([
    [5, "goes on"],
    [2, "past deadlines"],
    [2, "jumps"],
    [2, "midnight"],
  ]);
  const midlifeMs = Math.round(lifeMs * (0.25 + random.next() / 2));
  if (move === "past deadlines") clockOffsetMs += PAST_DEADLINE_MS;
  if (move === "midnight") {
    clockOffsetMs += DAY_MS - (serverNow() % DAY_MS) - midlifeMs;
    counts.midnights += 1;
  }
  if (move === "jumps") counts.jumps += 1;
  return { move, jumpAtMs: move === "jumps" ? Date.now() + midlifeMs : 0 };
}

async function auditLive(rows, since, all) {
  const open = await Promise.all(
    Object.keys(TENANTS).map(async (tenant) => {
      const { current, dead } = keys.get(tenant);
      const { limits, lines } = await auditAnswers(server.url, tenant, current, rows.get(tenant));
      const own = calls.slice(all ? 0 : since).filter((call) => call.tenant === tenant);
      await auditVerdicts(server.url, current, own, all);
      for (const key of dead.slice(-3)) {
        const { status } = await send(server.url, "GET", "/v1/limits", { key });
        assert.equal(status, 401, `${tenant}: a key that was ended works again`);
      }
      return { tenant, limits, lines };
    }),
  );
  return open;
}

/** Reopens the account if the load left it closed, and waits until all tenants know. */
async function openAccount() {
  await admin("POST", "/admin/account/reopen");
  for (const tenant of Object.keys(TENANTS)) {
    const { current: key } = keys.get(tenant);
    const endMs = Date.now() + HEARD_MS;
    for (;;) {
      const { body } = await send(server.url, "GET", "/v1/limits", { key });
      if (body.account_closed === false) break;
      assert.ok(Date.now() < endMs, `${tenant} does not know that the day is open`);
      await sleep(200);
    }
  }
}

/** Each failure of engines, one at a time without load: the verdict comes in time and is charged right. */
async function eachFault() {
  const calm = { over: false, clockJumps: false };
  for (const [fault, charge] of Object.entries(ALONE)) {
    const call = callWithFault(fault, serverNow());
    calls.push(call);
    const startedMs = Date.now();
    const seen = await attempt(call, calm);
    const tookMs = Date.now() - startedMs;
    assert.equal(seen.status, 200, `${fault}: ${seen.kind}`);
    assert.notEqual(seen.verdicts[0].decision, "allow", `${fault}: approved unchecked`);
    assert.ok(tookMs < ANSWERED_MS, `${fault}: answered after ${tookMs} ms`);
    const { current: key } = keys.get(call.tenant);
    const { body } = await send(server.url, "GET", "/v1/ledger?limit=1", { key });
    const [line] = body.data;
    assert.equal(line.user_id, call.name);
    const expected = charge === "held" ? line.held_micro_neurons : 0;
    assert.equal(line.micro_neurons, expected, `${fault}: charged ${line.micro_neurons}`);
  }
}

/** Runs clients, rotations, reads and changes of settings until the process is killed. */
async function underLoad(life, lifeMs) {
  // Only a call with an idempotency key can be repeated, and only while the key is kept.
  const unsure = calls.filter(
    (call) => call.keyed && call.seen.at(-1)?.status === 0 && serverNow() - call.atMs < KEPT_MS,
  );
  const work = [
    ...Array.from({ length: CLIENTS }, (_, number) => client(number, life, unsure)),
    rotator(life),
    ...Object.keys(TENANTS).map((tenant) => watcher(tenant, life)),
    platform(life),
  ];
  const untilMs = Date.now() + lifeMs;
  while (Date.now() < untilMs && found.fault === null) await sleep(20);
  life.over = true;
  await server.kill();
  await Promise.all(work);
  if (found.fault !== null) throw found.fault;
}

async function oneLife(number) {
  const random = new Random(SEED, number);
  const before = { calls: calls.length, cut: counts.cut };
  const lifeMs = random.integer(400, 2500);
  const { move, jumpAtMs } = moveClock(random, lifeMs);
  await start({ jumpAtMs, lostShare: LOST_SHARE });
  // The first request waits until the modules are loaded, which would take all of a short life.
  await send(server.url, "GET", "/openapi.json");
  await underLoad({ number, over: false, clockJumps: jumpAtMs !== 0 }, lifeMs);
  if (jumpAtMs !== 0 && Date.now() >= jumpAtMs) clockOffsetMs += PAST_DEADLINE_MS;

  const rows = readRows(server.stateDir, join(dir, "scratch"));
  rowsAudit.check(rows, calls);
  const held = [...rows.values()].reduce((sum, { pending }) => sum + pending, 0);
  await start();
  // The kill may have cut a rotation, so it is not known whether the old key ended.
  await issueKey("rotating");
  await auditLive(rows, before.calls, false);
  await server.kill();
  say(
    `kill ${String(number).padStart(3)}: ${String(lifeMs).padStart(4)} ms, ` +
      `${calls.length - before.calls} calls, ${counts.cut - before.cut} cut short, ` +
      `${held} held; clock ${move}`,
  );
}

async function run() {
  await buildWorker(join(dir, "bundle"));
  server = new Workerd({
    bundle: join(dir, "bundle"),
    stateDir: join(dir, "state"),
    bindings: { ...secrets, INFERENCE: "workers-ai", CLOUDFLARE_PLAN: "paid" },
    ai: fakeAi.url,
  });
  await start();
  // This run checks the rules of one tenant, so the account's rates must not refuse calls.
  await admin("PATCH", "/admin/account", { rpm: UNBOUNDED_RATES });
  for (const [tenant, settings] of Object.entries(TENANTS)) {
    await admin("PUT", `/admin/tenants/${tenant}`, settings);
    await issueKey(tenant);
  }
  await server.kill();
  for (let kill = 1; kill <= KILLS; kill += 1) await oneLife(kill);

  // At the end every remaining hold is past its deadline and expires at the next request.
  clockOffsetMs += PAST_DEADLINE_MS;
  await start();
  await openAccount();
  await eachFault();
  await server.kill();
  const before = readRows(server.stateDir, join(dir, "scratch"));
  await start();
  const tenants = await auditLive(before, 0, true);
  for (const { tenant, limits } of tenants) {
    assert.equal(limits.pending_micro_neurons, 0, `${tenant}: held after the deadline`);
    assert.equal(limits.in_flight.used, 0, `${tenant}: in flight after the deadline`);
  }
  await server.kill();
  const rows = readRows(server.stateDir, join(dir, "scratch"));
  rowsAudit.check(rows, calls);
  const pending = [...rows.values()].reduce((sum, one) => sum + one.pending, 0);
  assert.equal(pending, 0, "rows are pending after the deadline");
  assertSilence();
  report();
}

/** Checks that the output holds no key, no secret, and nothing of the moderated content. */
function assertSilence() {
  for (const text of [MARKER, ...Object.values(secrets), ...allKeys]) {
    assert.ok(!server.output.includes(text), "something secret was printed");
  }
  assert.doesNotMatch(server.output, /\bng_[a-z0-9-]+_[A-Za-z0-9]{20,}/);
}

function report() {
  const { audits, lines, ended } = rowsAudit.counts;
  const verdicts = calls.reduce(
    (sum, call) => sum + new Set(call.seen.flatMap((one) => one.verdicts.map(({ id }) => id))).size,
    0,
  );
  const kinds = [...refusals].map(([kind, count]) => `${count} ${kind}`).join(", ");
  say(
    `${calls.length} calls: ${counts.succeeded} answered (${counts.replayed} replayed), ` +
      `${counts.cut} cut short, ${counts.refused} refused (${kinds})`,
  );
  say(
    `${lines} journal lines: ${ended.posted} posted, ${ended.voided} voided, ${ended.expired} ` +
      `expired; ${verdicts} verdicts, each read back`,
  );
  say(
    `${snapshots.count} snapshots under load, ${snapshots.nearLimit} within a tenth of a limit; ` +
      `${counts.midnights} midnights and ${counts.jumps} jumps of the clock under load, ${counts.rotations} rotations, ${counts.twice} pairs of racing ` +
      `repeats, ${audits} audits of the rows`,
  );
  say(`seed ${SEED}, ${KILLS} kills: everything that a client was told is still true.`);
}

const watchdog = setTimeout(() => {
  process.stderr.write(`not done after ${DEADLINE_MS} ms; replay: ${replay}\n`);
  void server?.kill().finally(() => process.exit(1));
}, DEADLINE_MS);
const replay = `npm run test:faults -- --seed ${SEED} --kills ${KILLS}`;

say(`seed ${SEED}, ${KILLS} kills`);
try {
  await run();
} catch (error) {
  process.stderr.write(`${server?.output.slice(-2000) ?? ""}\n${error.stack}\n`);
  if (error.cause) process.stderr.write(`${error.cause.stack}\n`);
  process.stderr.write(`replay: ${replay}\n`);
  process.exitCode = 1;
} finally {
  clearTimeout(watchdog);
  await server?.kill();
  rmSync(dir, { recursive: true, force: true });
}
