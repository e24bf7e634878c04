// npm run test:faults -- [--seed N] [--kills 50]
//
// The real server process, killed with -9 at random moments under a load of mixed calls, while its
// engines fail in every way and its clock crosses midnights. After each kill the rows are read from
// the files, the process is started again, and its answers are held against the rows and against
// everything that a client was ever told. docs/proof.md says what is checked.
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

/** The deadline of a stream's hold, which is the longest, and a little more. */
const PAST_DEADLINE_MS = 695_000;

/** The engines' 10 s and 25 s of patience become 125 and 310 ms, so that a hang ends within a life. */
const TIMEOUT_DIVISOR = 80;

/** Hundreds of milliseconds, and a busy machine's tenfold: whatever an engine does, it is answered. */
const ANSWERED_MS = 10_000;

/** Whoever was denied something is told by the account's alarm. */
const HEARD_MS = 30_000;

/** Of the messages to an object and its answers: the router repeats them. */
const LOST_SHARE = 0.06;

/** A repeat after 24 hours is a new call. The clock jumps, so a little less. */
const KEPT_MS = DAY_MS - 3_600_000;

/** A client that was refused waits a little. */
const REFUSED_WAIT_MS = 25;

/** The whole run, beyond which something hangs: ten seconds a life. */
const DEADLINE_MS = 60_000 + KILLS * 10_000;

const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);
const secret = () => randomBytes(32).toString("base64url");

const dir = mkdtempSync(join(tmpdir(), "neurogate-faults-"));
const secrets = { KEY_SECRETS: secret(), ADMIN_TOKEN: secret() };

/** @type {import("./load.mjs").Call[]} */
const calls = [];
/** Keys by tenant; the last is in force. `dead` were ended, and an answer said so. */
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
/** The first thing that was wrong; the life ends with it. @type {{ fault: Error | null }} */
const found = { fault: null };

const serverNow = () => Date.now() + clockOffsetMs;

/** With `jumpAtMs` the clock jumps in the middle of the life that begins: holds end under calls. */
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

/** Work that goes on until the process is killed: what breaks then is what was meant to. */
async function untilKilled(life, work) {
  while (!life.over && found.fault === null) {
    try {
      await work();
    } catch (error) {
      if (life.over) return;
      const broken = error instanceof TypeError || error.name === "TimeoutError";
      found.fault ??= broken
        ? new Error("the server went away by itself", { cause: error })
        : error;
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

/** Draws calls of its own, and asks again for what the last life cut short. */
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

/** Ends keys while they are in use; a key whose end was confirmed never works again. */
const rotator = (life) => {
  const random = new Random(SEED, life.number, 1000);
  return untilKilled(life, async () => {
    await sleep(random.integer(100, 500));
    const mine = keys.get("rotating");
    const { current, id } = mine;
    const overlap = random.pick([0, 0, 3600]);
    const path = `/v1/keys/${id}/rotate`;
    mine.ending = true;
    const { status, body } = await send(server.url, "POST", path, {
      key: current,
      body: { overlap_s: overlap },
    });
    assert.equal(status, 201, `rotate: ${JSON.stringify(body)}`);
    allKeys.add(body.key);
    Object.assign(mine, { current: body.key, id: body.id, ending: false });
    if (overlap === 0) mine.dead.push(current);
    counts.rotations += 1;
  });
};

/** One look at a tenant at a time: what is posted never goes back between two of them. */
const watcher = (tenant, life) => {
  const random = new Random(SEED, life.number, 1001);
  return untilKilled(life, async () => {
    await sleep(random.integer(5, 25));
    await snapshots.look(server.url, tenant, keys.get(tenant).current);
    if (random.chance(0.5)) await snapshots.lines(server.url, tenant, keys.get(tenant).current);
  });
};

/** The platform: settings that change under load, an account that is opened again. */
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
 * What the clock does in the next life: it goes on, was set past every deadline before it, jumps
 * past them in the midst of calls, or crosses midnight.
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

/** What the load left closed is opened, and all tenants have heard of it. */
async function openAccount() {
  await admin("POST", "/admin/account/reopen");
  for (const tenant of Object.keys(TENANTS)) {
    const { current: key } = keys.get(tenant);
    const endMs = Date.now() + HEARD_MS;
    for (;;) {
      const { body } = await send(server.url, "GET", "/v1/limits", { key });
      if (body.account_closed === false) break;
      assert.ok(Date.now() < endMs, `${tenant} did not hear that the day is open`);
      await sleep(200);
    }
  }
}

/** Each way in which engines fail, alone and in calm: in time there is a verdict, rightly charged. */
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

/** Clients, rotations, looks and changed settings, until the process is killed under them. */
async function underLoad(life, lifeMs) {
  // Only what has a key can be repeated, and only while the key is kept.
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
  // The first request waits for the modules: a short life would be nothing else.
  await send(server.url, "GET", "/openapi.json");
  await underLoad({ number, over: false, clockJumps: jumpAtMs !== 0 }, lifeMs);
  if (jumpAtMs !== 0 && Date.now() >= jumpAtMs) clockOffsetMs += PAST_DEADLINE_MS;

  const rows = readRows(server.stateDir, join(dir, "scratch"));
  rowsAudit.check(rows, calls);
  const held = [...rows.values()].reduce((sum, { pending }) => sum + pending, 0);
  await start();
  // The kill may have cut a rotation: whether the old key ended, nobody was told.
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
  // What holds for one tenant is looked for here; what all of them share is not in the way.
  await admin("PATCH", "/admin/account", { rpm: UNBOUNDED_RATES });
  for (const [tenant, settings] of Object.entries(TENANTS)) {
    await admin("PUT", `/admin/tenants/${tenant}`, settings);
    await issueKey(tenant);
  }
  await server.kill();
  for (let kill = 1; kill <= KILLS; kill += 1) await oneLife(kill);

  // The last: every hold that is left is past its deadline, and ends at the next question.
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

/** Nothing that was printed holds a key, a secret, or anything of what was moderated. */
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
  say(`seed ${SEED}, ${KILLS} kills: everything that was told holds.`);
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
