// The quota's edge, exact to the micro-neuron, with everything coming at once.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertInvariants, MARKER, readAll, sharedServer } from "./server.mjs";
import { pngPicture } from "./tiny-picture.mjs";

/** resnet-50, per image. */
const IMAGE_MICRO_NEURONS = 228_055;
const FIT = 100;
const CALLS = 1000;

const server = sharedServer();

test("1,000 calls at once against a quota for 100", { timeout: 240_000 }, async () => {
  const key = await server.makeTenant("edge", {
    daily_neurons: (FIT * IMAGE_MICRO_NEURONS) / 1_000_000,
    rpm: { requests: 2 * CALLS },
    max_in_flight: 2 * CALLS,
  });
  const body = { images: [{ base64: pngPicture(MARKER) }], content_id: `${MARKER}-picture` };
  const ask = () => server.send("POST", "/v1/verdicts", { key, body });

  const replies = await Promise.all(Array.from({ length: CALLS }, ask));
  const admitted = replies.filter(({ status }) => status === 200);
  assert.equal(admitted.length, FIT);
  assert.ok(admitted.every((reply) => reply.body.micro_neurons === IMAGE_MICRO_NEURONS));
  assert.equal(new Set(admitted.map((reply) => reply.body.id)).size, FIT);
  const refused = replies.filter(({ status }) => status !== 200);
  const kinds = new Set(refused.map((reply) => `${reply.status} ${reply.body.kind}`));
  assert.ok(kinds.size > 0 && kinds.isSubsetOf(REFUSALS), [...kinds].join());

  const last = await ask();
  assert.equal(last.body.kind, "quota_exceeded");
  assert.equal(last.body.available_micro_neurons, 0);
  const { body: limits } = await server.send("GET", "/v1/limits", { key });
  assert.equal(limits.posted_micro_neurons, FIT * IMAGE_MICRO_NEURONS);
  assert.equal(limits.posted_micro_neurons, limits.limit_micro_neurons);
  assert.equal(limits.pending_micro_neurons, 0);
  const lines = await readAll(server.url, "/v1/ledger", key);
  assert.equal(lines.length, FIT);
  await assertInvariants(server.url, key);
});

/** While holds are open it may be these that stand in the way. */
const REFUSALS = new Set(["429 quota_exceeded", "429 quota_reserved"]);
