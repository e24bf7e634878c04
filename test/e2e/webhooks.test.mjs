// Webhooks between real processes: receivers that verify with the libraries that people use, hosts that
// do their worst beside them, and a server that is killed in the middle of its deliveries.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { Receiver } from "./receiver.mjs";
import { assertInvariants, MARKER, readAll, Server } from "./server.mjs";

const server = new Server({ WEBHOOK_TARGETS: "any" });
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

const VERIFIERS = {
  standardwebhooks: (secret) => async (body, headers) =>
    new StandardWebhook(secret).verify(body, headers),
  svix: (secret) => async (body, headers) => new SvixWebhook(secret).verify(body, headers),
  openai: (secret) => async (body, headers) =>
    new OpenAI({ apiKey: "none" }).webhooks.unwrap(body, headers, secret),
};

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
async function until(what, holds, forMs = 60_000) {
  const endMs = Date.now() + forMs;
  while (!holds()) {
    assert.ok(Date.now() < endMs, `${what} did not come`);
    // oxlint-disable-next-line no-await-in-loop -- until it has
    await sleep(50);
  }
}

for (const [library, verifier] of Object.entries(VERIFIERS)) {
  test(`a receiver with ${library} believes its own secret, and no other`, async () => {
    const key = await server.makeTenant(`with-${library}`);
    const [right, wrong] = [await receiver(), await receiver()];
    right.verify = verifier((await subscribe(key, right.url)).secret);
    const { id } = await subscribe(key, wrong.url);
    wrong.verify = verifier(`whsec_${Buffer.alloc(32).toString("base64")}`);
    const { body: verdict } = await judge(key, "Nice to meet you");
    await until("the delivery", () => right.accepted.length > 0 && wrong.refused.length > 0);
    assert.deepEqual(right.refused, []);
    assert.deepEqual(wrong.accepted, []);
    const [{ id: webhookId, event }] = right.accepted;
    const { body: read } = await server.send("GET", `/v1/verdicts/${verdict.id}`, { key });
    assert.deepEqual(event, {
      id: webhookId,
      type: "moderation.verdict",
      timestamp: verdict.created_at,
      data: read,
    });
    const { body } = await server.send("GET", `/v1/webhooks/${id}/deliveries`, { key });
    assert.equal(body.data[0].attempts[0].status, 401);
  });
}

test("hosts that do their worst harm nobody", { timeout: 120_000 }, async () => {
  const key = await server.makeTenant("beset", SETTINGS);
  const healthy = await receiver();
  const secretPlace = await receiver();
  const worst = {
    hangs: () => {},
    redirects: (response) => response.writeHead(307, { location: secretPlace.url }).end(),
    drips: (response) => {
      response.writeHead(200).write(".");
      const timer = setInterval(() => response.write("."), 1000);
      timer.unref();
      response.on("close", () => clearInterval(timer));
    },
    floods: (response) => response.writeHead(200).end(Buffer.alloc(50_000_000)),
    breaks: (response) => response.destroy(),
  };
  const ids = {};
  for (const [name, answer] of Object.entries(worst)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const made = await receiver();
    made.answer = (response) => {
      answer(response);
      return false;
    };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    ids[name] = (await subscribe(key, made.url)).id;
  }
  healthy.verify = VERIFIERS.standardwebhooks((await subscribe(key, healthy.url)).secret);

  for (let n = 0; n < 200; n += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { status } = await judge(key, `Nice to meet you, number ${n}`);
    assert.equal(status, 200);
  }
  await until("every delivery", () => new Set(healthy.accepted.map(({ id }) => id)).size === 200);
  assert.deepEqual(healthy.refused, []);
  assert.equal(secretPlace.asked, 0);
  const errors = {};
  for (const [name, id] of Object.entries(ids)) {
    const path = `/v1/webhooks/${id}/deliveries`;
    // oxlint-disable-next-line no-await-in-loop -- until the one that hangs was given up
    for (let n = 0; n < 100 && errors[name] === undefined; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { body } = await server.send("GET", path, { key });
      const attempt = body.data.at(-1)?.attempts[0];
      if (attempt !== undefined) errors[name] = attempt.error;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      else await sleep(250);
    }
  }
  assert.deepEqual(errors, {
    hangs: "timeout",
    redirects: "redirect",
    drips: null,
    floods: null,
    breaks: "connection_failed",
  });
  await assertInvariants(server.url, key);
});

test("killed in the middle of deliveries", { timeout: 180_000 }, async (t) => {
  const key = await server.makeTenant("mortal", SETTINGS);
  const [all, blocked] = [await receiver(), await receiver()];
  all.verify = VERIFIERS.standardwebhooks((await subscribe(key, all.url)).secret);
  const decisions = ["block"];
  blocked.verify = VERIFIERS.svix((await subscribe(key, blocked.url, { decisions })).secret);
  // Slow enough that a kill meets some on their way.
  all.answer = (response) => {
    setTimeout(() => response.writeHead(204).end(), 5);
    return true;
  };
  const life = new AbortController();
  const client = async (/** @type {number} */ n) => {
    while (!life.signal.aborted) {
      const text = n % 4 === 0 ? "You are a worthless stupid idiot" : "Nice to meet you";
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
