// Webhooks between real processes: receivers that verify with the libraries that people use, and hosts
// that do their worst beside them. Kills in the middle of deliveries: ../long/webhooks.test.mjs.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { Receiver } from "./receiver.mjs";
import { assertInvariants, MARKER, Server } from "./server.mjs";

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

test("hosts that do their worst harm nobody", { timeout: 240_000 }, async () => {
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
