// kill -9 in the middle of deliveries: every verdict is delivered at least once, to the endpoints that
// asked for it and to no other. And no bad event, and no bad receiver, holds up another.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { Receiver } from "../e2e/receiver.mjs";
import { assertInvariants, MARKER, readAll, Server } from "../e2e/server.mjs";

// A free account has too little for so many verdicts.
const server = new Server({ WEBHOOK_TARGETS: "any", CLOUDFLARE_PLAN: "paid" });
/** @type {Receiver[]} */
const receivers = [];
before(async () => {
  await server.start();
  await server.unboundRates();
});
after(async () => {
  for (const one of receivers) one.stop();
  await server.stop();
});

const SETTINGS = {
  daily_neurons: 1_000_000,
  rpm: { requests: 1_000_000, text_generation: 1_000_000, text_classification: 1_000_000 },
  max_in_flight: 10_000,
};

const verifier = (/** @type {string} */ secret) => async (body, headers) =>
  new Webhook(secret).verify(body, headers);

async function receiver() {
  const made = await new Receiver().start();
  receivers.push(made);
  return made;
}

async function subscribe(key, url, fields = {}) {
  const body = { url, events: ["moderation.verdict"], ...fields };
  const made = await server.send("POST", "/v1/webhooks", { key, body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

const judge = (key, text) =>
  server.send("POST", "/v1/verdicts", { key, body: { text: `${text}, dear ${MARKER}!` } });

/** The verdicts that a receiver was told of. */
const idsOf = (/** @type {Receiver} */ { accepted }) =>
  new Set(accepted.map(({ event }) => event.data.id));

/** Waits for what must come. */
async function until(what, holds, forMs) {
  const endMs = Date.now() + forMs;
  while (!holds()) {
    assert.ok(Date.now() < endMs, `${what} did not come`);
    // oxlint-disable-next-line no-await-in-loop -- until it has
    await sleep(50);
  }
}

test("killed in the middle of deliveries", { timeout: 180_000 }, async (t) => {
  const key = await server.makeTenant("mortal", SETTINGS);
  const [all, blocked] = [await receiver(), await receiver()];
  all.verify = verifier((await subscribe(key, all.url)).secret);
  const decisions = ["block"];
  blocked.verify = verifier((await subscribe(key, blocked.url, { decisions })).secret);
  // Slow enough that a kill meets some on their way.
  all.answer = (response) => {
    setTimeout(() => response.writeHead(204).end(), 5);
    return true;
  };
  const life = new AbortController();
  const client = async (/** @type {number} */ n) => {
    while (!life.signal.aborted) {
      const text = n % 4 === 0 ? "I will kill you tonight" : "Nice to meet you";
      // oxlint-disable-next-line no-await-in-loop -- that is what a client does
      if ((await judge(key, text).catch(() => null)) === null) await sleep(20);
    }
  };
  const clients = Array.from({ length: 16 }, (_, n) => client(n));
  for (let kill = 0; kill < 5; kill += 1) {
    // oxlint-disable no-await-in-loop -- one life after the other
    await sleep(700 + 200 * kill);
    await server.kill();
    await server.start();
    // oxlint-enable no-await-in-loop
  }
  await sleep(500);
  life.abort();
  await Promise.all(clients);

  const verdicts = await readAll(server.url, "/v1/verdicts", key);
  const rude = verdicts.filter(({ decision }) => decision === "block");
  assert.ok(rude.length > 0);
  await until("every verdict", () => idsOf(all).size >= verdicts.length, 90_000);
  await until("every block", () => idsOf(blocked).size >= rude.length, 90_000);
  assert.deepEqual(idsOf(all), new Set(verdicts.map(({ id }) => id)));
  assert.deepEqual(idsOf(blocked), new Set(rude.map(({ id }) => id)));
  assert.deepEqual([...all.refused, ...blocked.refused], []);
  const byVerdict = Map.groupBy(all.accepted, ({ event }) => event.data.id);
  for (const repeats of byVerdict.values()) {
    assert.equal(new Set(repeats.map(({ id }) => id)).size, 1, "a repeat has the same webhook-id");
  }
  const twice = all.accepted.length - byVerdict.size;
  t.diagnostic(`${verdicts.length} verdicts, ${twice} delivered more than once`);
  await assertInvariants(server.url, key);
});

const isPoison = (event) => event.data.user_id === "poison";

/** How often it was tried in six minutes. */
const early = (/** @type {number[]} */ times) =>
  times.filter((at) => at - times[0] < 360_000).length;

/** Six minutes see the first three tries of a schedule; on CI the first half minute is enough. */
const WATCH_MS = process.env.CI ? 0 : 360_000;

test(
  "a poisoned, a hanging and a healthy endpoint, killed twice",
  { timeout: 600_000 },
  async (t) => {
    const key = await server.makeTenant("poisoned", SETTINGS);
    const [healthy, poisoned, hanging] = [await receiver(), await receiver(), await receiver()];
    healthy.verify = verifier((await subscribe(key, healthy.url)).secret);
    await subscribe(key, poisoned.url);
    await subscribe(key, hanging.url);
    hanging.answer = () => false;
    /** When each event was seen by the endpoint that cannot take every third. @type {Map<string, number[]>} */
    const tries = new Map();
    poisoned.verify = async (body) => {
      const event = JSON.parse(body);
      tries.set(event.id, [...(tries.get(event.id) ?? []), Date.now()]);
      if (isPoison(event)) throw new Error("it is refused");
    };
    const post = async (/** @type {number} */ n) => {
      const user_id = n % 3 === 0 ? "poison" : "friend";
      const body = { text: `Nice to meet you, number ${n}`, user_id };
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- until it was taken
        const made = await server.send("POST", "/v1/verdicts", { key, body }).catch(() => null);
        if (made?.status === 200) return;
        // oxlint-disable-next-line no-await-in-loop -- as above
        await sleep(20);
      }
    };
    const beganMs = Date.now();
    for (let n = 0; n < 300; n += 1) {
      // oxlint-disable no-await-in-loop -- one after the other
      await post(n);
      if (n === 120 || n === 240) {
        await server.kill();
        await server.start();
      }
      // oxlint-enable no-await-in-loop
    }
    const killedMs = Date.now();
    // What was repeated because its reply was cut off is another verdict: all are counted.
    const verdicts = await readAll(server.url, "/v1/verdicts", key);
    const good = verdicts.filter(({ user_id: who }) => who === "friend");
    assert.ok(verdicts.length >= 300);
    assert.ok(good.length >= 200);
    await until(
      "every event at the healthy one",
      () => idsOf(healthy).size >= verdicts.length,
      30_000,
    );
    await until(
      "every good one at the poisoned one",
      () => idsOf(poisoned).size >= good.length,
      30_000,
    );
    t.diagnostic(`all had what is theirs ${Date.now() - killedMs} ms after the last event`);
    assert.deepEqual(idsOf(poisoned), new Set(good.map(({ id }) => id)));
    await sleep(Math.max(0, beganMs + WATCH_MS - Date.now()));
    const bad = [...tries.values()].filter((times) => times.length > 1);
    const most = Math.max(...bad.map(early));
    t.diagnostic(`${bad.length} events seen more than once, at most ${most} times`);
    assert.ok(most <= 3, `an event was tried ${most} times in six minutes`);
    assert.ok(hanging.asked > 0);
    await assertInvariants(server.url, key);
  },
);
