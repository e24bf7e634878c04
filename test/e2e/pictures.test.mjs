// Real pictures: harmless ones are approved by the embedded engine's own model, and what it cannot
// read is never approved.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { greyPngOf } from "../fakes/made-pictures.mjs";
import { MARKER, sharedServer } from "./server.mjs";

/** The drawings of `pictures/draw.mjs`. */
const drawn = (/** @type {string} */ name) =>
  readFileSync(new URL(`pictures/${name}`, import.meta.url));
const half = (/** @type {Buffer} */ bytes) => bytes.subarray(0, bytes.length / 2);

const JPEG = drawn("harbour.jpg");
const WEBP = drawn("harbour.webp");
const PNG = drawn("harbour.png");

/** Each with what is measured of it. */
const WHOLE = {
  "a JPEG": [JPEG, { format: "jpeg", width: 640, height: 427 }],
  "a WebP": [WEBP, { format: "webp", width: 451, height: 300 }],
  "a PNG": [PNG, { format: "png", width: 224, height: 160 }],
  "a PNG of greys": [
    greyPngOf(300, 200),
    { format: "png", width: 300, height: 200, colourfulness: 0 },
  ],
};

const server = sharedServer();
let key;
before(async () => {
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

for (const [name, [bytes, expected]] of Object.entries(WHOLE)) {
  test(`${name}: approved by the picture model`, async () => {
    const { status, body } = await judge(bytes, "default");
    assert.equal(status, 200);
    assert.equal(body.decision, "allow");
    assert.equal(body.approved, true);
    assert.equal(body.coverage.nsfw, "evaluated");
    assert.ok(body.scores.nsfw < 0.5, `nsfw ${body.scores.nsfw}`);
    assert.deepEqual(body.reasons, []);
    const stage = body.stages.find(({ name: what }) => what === "picture");
    assert.match(stage.model, /^neurogate\/nsfw-mobilenet-v2@\d+$/);
  });

  test(`${name}: measured, and never approved by that alone`, async () => {
    const { status, body } = await judge(bytes, "unseen");
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

test("a picture that breaks off is never approved", async (t) => {
  const broken = {
    "the first bytes of a JPEG": JPEG.subarray(0, 400),
    "half of a JPEG": half(JPEG),
    "all but the end of a JPEG": JPEG.subarray(0, -2),
    "half of a WebP": half(WEBP),
    "half of a PNG": half(PNG),
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
