// A pipeline over a thousand documents (150 in CI) against a fake of Workers AI that fails 5 % of its
// calls, while the server is killed three times. Each step of each document has the lines of its calls and
// no other, and the run costs what was posted. What a document's time is made of is printed.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { createServer, request as send } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../faults/random.mjs";
import { startFakeWorkersAi } from "../fakes/workers-ai-server.mjs";
import { assertInvariants, MARKER, readAll, Server } from "../e2e/server.mjs";

const DOCUMENTS = process.env.CI === undefined ? 1000 : 150;
/** Run one at a time at the end, to see what is ours of a document's time. */
const ALONE = 20;
const KILLS = 3;
const FAULT_SHARE = 0.05;
const STEPS = ["fetch", "moderate", "summarize", "embed", "store"];

/** As steps are numbered in the ids of calls: their order in the product, and how many ids a document has. */
const NUMBERS = { moderate: 1, summarize: 2, store: 8, embed: 9 };
const IDS_A_DOCUMENT = 16;

/** How long an engine takes, in milliseconds. */
const ENGINE_MS = { least: 20, most: 60 };
const POLL_MS = 50;
const PATIENCE_MS = 900_000;

const random = new Random(2026);
const fake = await startFakeWorkersAi();

/** What was asked about each document: how long it took, and whether it failed. */
const asked = new Map();
let faults = 0;

/** Before the fake: it takes its time, fails some calls, and notes the document of each. */
const slow = createServer(async (incoming, outgoing) => {
  const startedMs = performance.now();
  const parts = [];
  for await (const part of incoming) parts.push(part);
  const body = Buffer.concat(parts);
  await sleep(ENGINE_MS.least + (ENGINE_MS.most - ENGINE_MS.least) * random.next());
  const fails = random.next() < FAULT_SHARE;
  const document = Number(/document-(\d{4})/.exec(body.toString())?.[1]);
  outgoing.once("finish", () => {
    const calls = asked.get(document) ?? [];
    asked.set(document, [...calls, { ms: performance.now() - startedMs, fails }]);
  });
  if (fails) {
    faults += 1;
    outgoing.writeHead(500, { "content-type": "application/json" });
    return outgoing.end('{"errors":[{"code":3043,"message":"Internal server error"}]}');
  }
  const { method, headers } = incoming;
  const url = new URL(incoming.url ?? "/", fake.url);
  const passed = send(url, { method, headers: { ...headers, host: url.host } }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  passed.on("error", () => outgoing.destroy());
  return passed.end(body);
});
await new Promise((listening) => slow.listen(0, "127.0.0.1", () => listening(null)));
const aiUrl = new URL(`http://127.0.0.1:${/** @type {any} */ (slow.address()).port}/`);

const server = new Server({ INFERENCE: "workers-ai", CLOUDFLARE_PLAN: "paid" }, aiUrl);
before(() => server.start());
after(async () => {
  await server.stop();
  slow.closeAllConnections();
  slow.close();
});

const textOf = (at) =>
  `This is document-${String(at).padStart(4, "0")} of ${MARKER}. The meeting of the garden club is on Friday. ` +
  `Members bring seeds and tools. The club pays for the soil of all ${at + 2} beds.`;

const documentsFrom = (first, count) =>
  Array.from({ length: count }, (_, at) => ({ type: "report", content: textOf(first + at) }));

async function until(key, id, enough) {
  const deadlineMs = Date.now() + PATIENCE_MS;
  for (;;) {
    // oxlint-disable no-await-in-loop -- one look after the other
    const { status, body } = await server.send("GET", `/v1/pipelines/runs/${id}`, { key });
    assert.equal(status, 200, JSON.stringify(body));
    if (enough(body)) return body;
    assert.ok(Date.now() < deadlineMs, `it did not come so far: ${JSON.stringify(body)}`);
    await sleep(POLL_MS);
    // oxlint-enable no-await-in-loop
  }
}

/** The number of the step of a document, from the id of its call. */
const placeOf = (id) =>
  Array.from(id.slice(-4)).reduce(
    (sum, digit) => sum * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".indexOf(digit),
    0,
  );

const sumOf = (values) => values.reduce((sum, value) => sum + value, 0);
const quantile = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)];

test("killed in the middle of a pipeline", { timeout: 1_200_000 }, async (t) => {
  await server.admin("PATCH", "/admin/account", {
    rpm: { text_generation: 1_000_000, text_classification: 1_000_000, text_embeddings: 1_000_000 },
  });
  const key = await server.makeTenant("piped", {
    plan: "paid",
    daily_neurons: 50_000,
    overage_cap_neurons: 0,
    rpm: {
      requests: 1_000_000,
      text_generation: 1_000_000,
      text_classification: 1_000_000,
      text_embeddings: 1_000_000,
    },
    max_in_flight: 20,
  });
  const documents = documentsFrom(0, DOCUMENTS);
  const startedMs = Date.now();
  const { status, body: made } = await server.send("POST", "/v1/pipelines/runs", {
    key,
    body: { documents, steps: STEPS },
  });
  assert.equal(status, 202, JSON.stringify(made));

  let cutShort = 0;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    // oxlint-disable no-await-in-loop -- one life after the other
    const least = Math.ceil((DOCUMENTS * kill) / (KILLS + 1));
    const reached = await until(key, made.id, ({ counts }) => counts.succeeded >= least);
    assert.equal(reached.state, "running", "it was over before it could be killed");
    await server.kill();
    await server.start();
    const { body: limits } = await server.send("GET", "/v1/limits", { key });
    cutShort += limits.in_flight.used;
    t.diagnostic(
      `killed at ${reached.counts.succeeded} of ${DOCUMENTS}, ${limits.in_flight.used} in flight`,
    );
    // oxlint-enable no-await-in-loop
  }
  assert.ok(cutShort > 0, "no kill met a call in progress: the test shows nothing");

  const run = await until(key, made.id, ({ state }) => state !== "running");
  const tookMs = Date.now() - startedMs;
  assert.equal(run.state, "completed", JSON.stringify(run));
  assert.ok(run.counts.succeeded >= DOCUMENTS * 0.99, JSON.stringify(run.counts));

  const steps = await readAll(server.url, `/v1/pipelines/runs/${made.id}/steps`, key);
  const lines = (await readAll(server.url, "/v1/ledger", key)).filter(
    ({ route }) => route === "POST /v1/pipelines/runs",
  );
  const byPlace = Map.groupBy(lines, ({ id }) => placeOf(id));
  for (const step of steps.filter(({ name }) => name !== "fetch")) {
    const place = step.document * IDS_A_DOCUMENT + NUMBERS[step.name];
    const own = byPlace.get(place) ?? [];
    const told = JSON.stringify({ step, own });
    assert.equal(sumOf(own.map((line) => line.micro_neurons)), step.micro_neurons, told);
    assert.equal(own.length, step.calls, told);
    assertChargedOnce(step, own, told);
    byPlace.delete(place);
  }
  assert.deepEqual([...byPlace.keys()], [], "a line belongs to no step");
  assertFailuresOfTheEngine(lines);

  const posted = sumOf(lines.map((line) => line.micro_neurons));
  const { body: limits } = await server.send("GET", "/v1/limits", { key });
  assert.equal(run.micro_neurons, posted);
  assert.equal(sumOf(steps.map((step) => step.micro_neurons)), posted);
  assert.equal(limits.posted_micro_neurons, posted);
  assert.equal(limits.pending_micro_neurons, 0);
  const verdicts = await readAll(server.url, "/v1/verdicts", key);
  assert.equal(new Set(verdicts.map(({ content_id: id }) => id)).size, DOCUMENTS);
  assert.equal(verdicts.length, DOCUMENTS);
  await assertInvariants(server.url, key);

  const failures = JSON.stringify(run.counts.failed_as);
  t.diagnostic(`${run.counts.succeeded} of ${DOCUMENTS} documents in ${tookMs} ms, ${failures}`);
  t.diagnostic(`${faults} calls of the engine failed; ${lines.length} lines; USD ${run.usd}`);
  t.diagnostic(`${steps.filter(({ attempts }) => attempts > 1).length} steps were run again`);
  t.diagnostic(`eight documents at once: ${timesOf(steps, 0)}`);

  await server.admin("PATCH", "/admin/tenants/piped", { max_in_flight: 2 });
  const { body: alone } = await server.send("POST", "/v1/pipelines/runs", {
    key,
    body: { documents: documentsFrom(DOCUMENTS, ALONE), steps: STEPS },
  });
  await until(key, alone.id, ({ state }) => state !== "running");
  const own = await readAll(server.url, `/v1/pipelines/runs/${alone.id}/steps`, key);
  t.diagnostic(`one document at a time: ${timesOf(own, DOCUMENTS)}`);
});

/** A whole answer was charged: of none of its calls does the line have the bound. */
const isAnswered = ({ outcome, micro_neurons: charged, items }) =>
  outcome === "posted" && charged > 0 && items.every(({ basis }) => basis !== "held");

/** A try whose engine failed, at the bound. */
const isLost = ({ outcome, items }) =>
  outcome === "posted" && items.some(({ basis }) => basis === "held");

/**
 * What a step was charged for: one whole answer if it succeeded, else none. Its other lines are of tries that
 * failed or were cut short. A verdict is made in one try, whichever of its checks fail.
 */
function assertChargedOnce({ name, status }, own, told) {
  const isPaid = status === "succeeded" && name !== "store";
  const whole =
    name === "moderate"
      ? own.filter(({ outcome }) => outcome === "posted")
      : own.filter(isAnswered);
  assert.equal(whole.length, isPaid ? 1 : 0, told);
  const others = own.filter((line) => !whole.includes(line));
  for (const { outcome, micro_neurons: charged, items } of others) {
    const isFailed = outcome === "expired" || charged === 0 || isLost({ outcome, items });
    assert.ok(isFailed, told);
  }
}

/** No document has more lines of failed tries than the engine has failed about it. */
function assertFailuresOfTheEngine(lines) {
  const byDocument = Map.groupBy(lines.filter(isLost), ({ id }) =>
    Math.floor(placeOf(id) / IDS_A_DOCUMENT),
  );
  for (const [document, lost] of byDocument) {
    const failed = (asked.get(document) ?? []).filter(({ fails }) => fails).length;
    assert.ok(lost.length <= failed, JSON.stringify({ document, failed, lost }));
  }
}

const shown = (values) =>
  `p50 ${quantile(values, 0.5).toFixed(0)} ms, p95 ${quantile(values, 0.95).toFixed(0)} ms`;

/** What is ours of the time of those documents in which nothing failed and nothing was cut short. */
function timesOf(steps, first) {
  const callsOf = (at) => asked.get(first + at) ?? [];
  const whole = [...Map.groupBy(steps, ({ document }) => document).entries()].filter(
    ([at, own]) =>
      own.every(({ attempts }) => attempts === 1) && callsOf(at).every(({ fails }) => !fails),
  );
  const times = whole.map(([at, own]) => {
    const startMs = Math.min(...own.map((step) => Date.parse(step.started_at)));
    const endMs = Math.max(...own.map((step) => Date.parse(step.finished_at)));
    const all = endMs - startMs;
    return { all, ours: all - sumOf(callsOf(at).map(({ ms }) => ms)) };
  });
  const all = shown(times.map((time) => time.all));
  return `${all}; of that ours ${shown(times.map(({ ours }) => ours))} (${times.length} documents)`;
}
