// kill -9 in the middle of a batch of a thousand. After the next start it goes on by itself: each
// item has one line and one verdict, and what the batch says it cost is what was posted.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertInvariants, MARKER, readAll, Server } from "../e2e/server.mjs";

const ITEMS = 1000;
const KILLS = 2;
/** What is read again until it says something: how often, and for how long at most. */
const POLL_MS = 20;
const PATIENCE_MS = 120_000;

// Thousands of calls need more than the day of a free account.
const server = new Server({ CLOUDFLARE_PLAN: "paid" });
before(() => server.start());
after(() => server.stop());

const LONG = " The weather is fine and the train was on time.".repeat(400);
const items = Array.from({ length: ITEMS }, (_, at) => {
  const name = `item-${String(at).padStart(4, "0")}`;
  const text = `Have a nice day, dear ${MARKER} ${name}!${at % 2 === 1 ? LONG : ""}`;
  return { content_id: name, text };
});

/** The batch, as soon as `enough` says so. */
async function until(key, id, enough) {
  const deadlineMs = Date.now() + PATIENCE_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const { status, body } = await server.send("GET", `/v1/verdicts/batches/${id}`, { key });
    assert.equal(status, 200, JSON.stringify(body));
    if (enough(body)) return body;
    assert.ok(Date.now() < deadlineMs, `it did not come so far: ${JSON.stringify(body)}`);
    // oxlint-disable-next-line no-await-in-loop
    await sleep(POLL_MS);
  }
}

async function readVerdictsOf(key, id) {
  const verdicts = [];
  let cursor = "";
  for (;;) {
    const path = `/v1/verdicts?batch_id=${id}&limit=200${cursor}`;
    // oxlint-disable-next-line no-await-in-loop -- a page says where the next one is
    const { body } = await server.send("GET", path, { key });
    verdicts.push(...body.data);
    if (!body.has_more) return verdicts;
    cursor = `&cursor=${body.next_cursor}`;
  }
}

test("killed in the middle of a batch", { timeout: 300_000 }, async (t) => {
  await server.unboundRates();
  const key = await server.makeTenant("batched", {
    daily_neurons: 1_000_000,
    rpm: { requests: 1_000_000, text_generation: 1_000_000, text_classification: 1_000_000 },
    max_in_flight: 20,
  });
  const { status, body: made } = await server.send("POST", "/v1/verdicts/batches", {
    key,
    body: { items },
  });
  assert.equal(status, 202, JSON.stringify(made));
  assert.equal(made.counts.pending, ITEMS);

  let cutShort = 0;
  for (let kill = 1; kill <= KILLS || (cutShort === 0 && kill <= 3 * KILLS); kill += 1) {
    // oxlint-disable no-await-in-loop -- one life after the other
    const least = Math.ceil((ITEMS / 2) * (1 - 0.5 ** kill));
    const reached = await until(key, made.id, ({ counts }) => counts.succeeded >= least);
    assert.equal(reached.state, "running", "it was over before it could be killed");
    // Into the midst of a step.
    await sleep(20 + 150 * Math.random());
    await server.kill();
    await server.start();
    const { body: limits } = await server.send("GET", "/v1/limits", { key });
    cutShort += limits.in_flight.used;
    t.diagnostic(
      `killed at ${reached.counts.succeeded} of ${ITEMS}, ${limits.in_flight.used} in flight`,
    );
    // oxlint-enable no-await-in-loop
  }

  assert.ok(cutShort > 0, "no kill met a call in progress: the test shows nothing");

  const done = await until(key, made.id, ({ state }) => state !== "running");
  assert.equal(done.state, "completed", JSON.stringify(done));
  assert.equal(done.counts.succeeded, ITEMS, JSON.stringify(done.counts));
  assert.equal(done.counts.failed, 0);

  const lines = await readAll(server.url, "/v1/ledger", key);
  assert.equal(lines.length, ITEMS);
  assert.ok(lines.every(({ outcome }) => outcome === "posted"));
  const verdicts = await readVerdictsOf(key, made.id);
  assert.equal(verdicts.length, ITEMS);
  assert.deepEqual(
    new Set(verdicts.map(({ content_id: name }) => name)),
    new Set(items.map(({ content_id: name }) => name)),
  );
  assert.deepEqual(
    new Set(lines.map(({ verdict_id: id }) => id)),
    new Set(verdicts.map(({ id }) => id)),
  );

  const { body: limits } = await server.send("GET", "/v1/limits", { key });
  const posted = lines.reduce((sum, line) => sum + line.micro_neurons, 0);
  assert.equal(limits.posted_micro_neurons, posted);
  assert.equal(limits.pending_micro_neurons, 0);
  assert.equal(done.micro_neurons, posted);
  const { body: steps } = await server.send(
    "GET",
    `/v1/verdicts/batches/${made.id}/steps?limit=200`,
    { key },
  );
  assert.equal(steps.data.length, ITEMS / 10);
  assert.equal(
    steps.data.reduce((sum, step) => sum + step.micro_neurons, 0),
    posted,
  );
  t.diagnostic(`${steps.data.filter(({ attempts }) => attempts > 1).length} steps were run again`);
  await assertInvariants(server.url, key);
});
