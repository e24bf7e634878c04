// kill -9 in the middle of everything. Whoever saw a call succeed finds it charged once and its
// verdict stored; what was cut short stays held until its deadline, and is charged then.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertInvariants, MARKER, readAll, Server } from "../e2e/server.mjs";

const KILLS = 6;
/** No kill after that: the first holds end 90 s after they were made, also on a slow machine. */
const MOST_MS = 60_000;
const CLIENTS = 24;
/** A hold's deadline: a minute to the first byte, and half of one after that. */
const DEADLINE_MS = 90_000;

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** mulberry32: from 0 to 1, the same for the same seed. */
function randomNumbers(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Thousands of calls need more than the day of a free account.
const server = new Server({ CLOUDFLARE_PLAN: "paid" });
before(() => server.start());
after(() => server.stop());

/** A call as its client knows it: `verdict` is null until the client has seen one. */
const calls = [];
let key;

/** Every other one is long, so that they do not all march in step. One length, one hold. */
const LONG = " The weather is fine and the train was on time.".repeat(200);
const isLong = (/** @type {string} */ name) => Number(name.slice(-1)) % 2 === 1;
const textOf = (/** @type {string} */ name) =>
  `Have a nice day, dear ${MARKER} ${name}!${isLong(name) ? LONG : ""}`;

/** One try; the name keys it, so that a repeat is the same call. */
function attempt({ name }) {
  return server.send("POST", "/v1/verdicts", {
    key,
    headers: { "idempotency-key": name },
    body: { user_id: name, content_id: name, text: textOf(name) },
  });
}

/** Calls, one after the other, until the server is gone. */
async function client() {
  for (;;) {
    const call = { name: `call-${String(calls.length).padStart(6, "0")}`, verdict: null };
    calls.push(call);
    // oxlint-disable-next-line no-await-in-loop -- that is what a client does
    const reply = await attempt(call).catch(() => null);
    if (reply === null) return;
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    call.verdict = reply.body;
  }
}

/** What the object says of the day, held against the journal and against what clients saw. */
async function audit() {
  const { body: limits } = await server.send("GET", "/v1/limits", { key });
  const lines = await readAll(server.url, "/v1/ledger", key);
  const verdicts = new Map(
    (await readAll(server.url, "/v1/verdicts", key)).map((verdict) => [verdict.id, verdict]),
  );

  const byCall = Map.groupBy(lines, (line) => line.user_id);
  for (const [name, found] of byCall) assert.equal(found.length, 1, `${name} is there twice`);
  for (const { name, verdict } of calls.filter((call) => call.verdict !== null)) {
    const [line] = byCall.get(name) ?? [];
    assert.ok(line, `${name} succeeded and is not in the journal`);
    assert.equal(line.outcome, "posted");
    assert.equal(line.verdict_id, verdict.id);
    assert.equal(line.micro_neurons, verdict.micro_neurons);
    assert.deepEqual(verdicts.get(verdict.id), verdict);
  }

  const ofDay = lines.filter((line) => line.day === limits.day);
  const posted = ofDay.reduce((sum, line) => sum + line.micro_neurons, 0);
  assert.equal(limits.posted_micro_neurons, posted);
  await assertInvariants(server.url, key);
  return { limits, lines, open: limits.in_flight.used };
}

test("killed at random moments", { timeout: 120_000 }, async (t) => {
  t.diagnostic(`SEED=${SEED}`);
  const random = randomNumbers(SEED);
  await server.unboundRates();
  key = await server.makeTenant("mortal", {
    daily_neurons: 1_000_000,
    rpm: { requests: 1_000_000, text_generation: 1_000_000, text_classification: 1_000_000 },
    max_in_flight: 10_000,
  });
  /** What a short and a long one are held at. */
  const held = new Map();
  for (const name of ["warm-000000", "warm-000001"]) {
    calls.push({ name, verdict: (await attempt({ name })).body });
  }
  for (const line of (await audit()).lines) {
    held.set(isLong(line.user_id), line.held_micro_neurons);
  }
  let open = 0;
  const began = Date.now();
  const isInTime = () => Date.now() - began < MOST_MS;

  // A kill may meet no open hold, or only such; a few must have met some.
  for (
    let kill = 1;
    isInTime() && (kill <= KILLS || (open === 0 && kill <= 4 * KILLS));
    kill += 1
  ) {
    // oxlint-disable no-await-in-loop -- one life after the other
    const first = calls.length;
    const clients = Array.from({ length: CLIENTS }, client);
    await sleep(150 + 600 * random());
    await server.kill();
    await Promise.all(clients);
    await server.start();

    const told = await audit();
    const unsure = calls.slice(first).filter((call) => call.verdict === null);
    assert.ok(told.open >= open, "no hold ends before its deadline");
    assert.ok(told.open - open <= unsure.length, "only calls that were cut short are held");

    // Their clients ask again: what was settled is replayed, what is held is still in progress,
    // and the rest runs for the first time.
    for (const call of unsure) {
      const { status, headers, body } = await attempt(call);
      if (status === 200) call.verdict = body;
      else assert.equal(`${status} ${body.kind}`, "409 idempotency_in_progress");
      call.replayed = headers.get("idempotency-replayed") === "true";
    }
    const asked = await audit();
    assert.equal(asked.open, told.open);
    const stuck = unsure.filter((call) => call.verdict === null);
    assert.equal(stuck.length, told.open - open);
    const pending = calls
      .filter((call) => call.verdict === null)
      .reduce((sum, { name }) => sum + held.get(isLong(name)), 0);
    assert.equal(told.limits.pending_micro_neurons, pending);
    assert.equal(asked.limits.pending_micro_neurons, pending);
    const replayed = unsure.filter((call) => call.replayed).length;
    t.diagnostic(
      `kill ${kill}: ${calls.length - first} calls, ${unsure.length} cut short: ` +
        `${stuck.length} held, ${replayed} settled, ${unsure.length - stuck.length - replayed} not begun`,
    );
    open = told.open;
    // oxlint-enable no-await-in-loop
  }

  await t.test("what was cut short is charged at its deadline, as held", async () => {
    assert.ok(open > 0, "no kill met an open hold: the test shows nothing");
    await server.kill();
    server.setClockAhead(DEADLINE_MS + 5000);
    await server.start();
    const { limits, lines } = await audit();
    assert.equal(limits.pending_micro_neurons, 0);
    const expired = lines.filter((line) => line.outcome === "expired");
    assert.equal(expired.length, open);
    for (const { user_id: name, micro_neurons: charged } of expired) {
      assert.equal(charged, held.get(isLong(name)));
    }
    const stuck = calls.filter((call) => call.verdict === null).map((call) => call.name);
    assert.deepEqual(new Set(expired.map((line) => line.user_id)), new Set(stuck));
  });

  await t.test("a repeat after that is not run again", async () => {
    const call = calls.find(({ verdict }) => verdict === null);
    const { status, body } = await attempt(call);
    assert.equal(`${status} ${body.kind}`, "409 idempotency_replay_unavailable");
    await audit();
  });
});
