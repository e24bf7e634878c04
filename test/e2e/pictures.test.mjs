// Real pictures: harmless ones are approved by the embedded engine's own model, and what it cannot
// read is never approved.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { MARKER, sharedServer } from "./server.mjs";

/** Beside the repository; they are not ours to copy. */
const SAMPLES = fileURLToPath(new URL("../../../shared/samples/", import.meta.url));
/** Printed with each test that is left out. */
const skip = existsSync(SAMPLES) ? false : `There are no sample pictures at ${SAMPLES}`;

const WHOLE = {
  "astronaut.png": { format: "png", width: 512, height: 512 },
  "rocket.jpg": { format: "jpeg", width: 640, height: 427 },
  "chelsea.png": { format: "png", width: 451, height: 300 },
  "coffee.png": { format: "png", width: 600, height: 400 },
  "palette_gray.png": { format: "png", colourfulness: 0 },
};

const bytesOf = (/** @type {string} */ name) => readFileSync(SAMPLES + name);
const half = (/** @type {Buffer} */ bytes) => bytes.subarray(0, bytes.length / 2);

const server = sharedServer();
let key;
before(async () => {
  if (skip) return;
  key = await server.makeTenant("gallery");
  // The same policy, but that what a picture shows does not matter.
  const { body: policy } = await server.send("GET", "/v1/policies/default", { key });
  const { object: _, name: __, version: ___, ...rules } = policy;
  rules.categories.nsfw.required = false;
  const put = await server.send("PUT", "/v1/policies/unseen", { key, body: rules });
  assert.ok(put.status < 300, JSON.stringify(put.body));
});

const judge = (/** @type {Buffer} */ bytes, policy) =>
  server.send("POST", "/v1/verdicts", {
    key,
    body: { content_id: MARKER, policy, images: [{ base64: bytes.toString("base64") }] },
  });

for (const [name, expected] of Object.entries(WHOLE)) {
  test(`${name}: approved by the picture model`, { skip }, async () => {
    const { status, body } = await judge(bytesOf(name), "default");
    assert.equal(status, 200);
    assert.equal(body.decision, "allow");
    assert.equal(body.approved, true);
    assert.equal(body.coverage.nsfw, "evaluated");
    assert.ok(body.scores.nsfw < 0.5, `nsfw ${body.scores.nsfw}`);
    assert.deepEqual(body.reasons, []);
    const stage = body.stages.find(({ name: what }) => what === "picture");
    assert.match(stage.model, /^neurogate\/nsfw-mobilenet-v2@\d+$/);
  });

  test(`${name}: measured, and never approved by that alone`, { skip }, async () => {
    const { status, body } = await judge(bytesOf(name), "unseen");
    assert.equal(status, 200);
    assert.equal(body.decision, "allow");
    assert.equal(body.approved, false);
    const { measurements, engine, model } = body.stages.find((stage) => stage.name === "labels");
    assert.equal(engine, "embedded");
    assert.match(model, /^neurogate\//);
    for (const [what, value] of Object.entries(expected)) {
      assert.equal(measurements[what], value, what);
    }
    if (expected.colourfulness === undefined) assert.ok(measurements.colourfulness > 0);
  });
}

test("a picture that breaks off is never approved", { skip }, async (t) => {
  const broken = {
    "truncated.jpg": bytesOf("truncated.jpg"),
    "half of rocket.jpg": half(bytesOf("rocket.jpg")),
    "half of astronaut.png": half(bytesOf("astronaut.png")),
    "all but the end of rocket.jpg": bytesOf("rocket.jpg").subarray(0, -2),
    "not a picture": Buffer.from(`${MARKER}, plainly`),
  };
  for (const [name, bytes] of Object.entries(broken)) {
    for (const policy of ["default", "unseen"]) {
      // oxlint-disable-next-line no-await-in-loop -- one picture at a time
      await t.test(`${name}, policy ${policy}`, async () => {
        const { status, body } = await judge(bytes, policy);
        if (status === 200) {
          assert.equal(body.approved, false);
          assert.notEqual(body.decision, "allow");
          assert.ok(body.stages.some((stage) => stage.status === "failed"));
        } else {
          assert.equal(status, 400, JSON.stringify(body));
          assert.match(body.errors[0].pointer, /^#\/images\/0\/base64/);
        }
      });
    }
  }
});
