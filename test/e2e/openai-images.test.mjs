// The official client against the real server: pictures inside the reply, and by links that open.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI, { APIError, BadRequestError, NotFoundError, RateLimitError } from "openai";
import { assertInvariants, MARKER, Server } from "./server.mjs";

const server = new Server();
before(() => server.start());
after(() => server.stop());

const KLEIN = "@cf/black-forest-labs/flux-2-klein-4b";
const PROMPT = `A red boat, ${MARKER}`;

/** A client with its default settings; `sent` counts its requests. */
function clientOf(apiKey) {
  const sent = [];
  const counting = (url, options) => {
    sent.push(url);
    return fetch(url, options);
  };
  const client = new OpenAI({ apiKey, baseURL: `${server.url}/v1`, fetch: counting });
  return { client, sent };
}

/** A PNG says its size itself. */
function pngSize(/** @type {Buffer} */ bytes) {
  assert.equal(bytes.subarray(1, 4).toString(), "PNG");
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

test("images.generate", async (t) => {
  const key = await server.makeTenant("pictures");
  const { client, sent } = clientOf(key);

  await t.test("b64_json", async () => {
    const reply = await client.images.generate({
      model: KLEIN,
      prompt: PROMPT,
      n: 2,
      size: "512x768",
      response_format: "b64_json",
    });
    assert.equal(reply.data.length, 2);
    for (const { b64_json, url } of reply.data) {
      assert.equal(url, undefined);
      assert.deepEqual(pngSize(Buffer.from(b64_json, "base64")), [512, 768]);
    }
    assert.equal(typeof reply.created, "number");
    assert.equal(reply.output_format, "png");
    // 2 tiles of 26.05, twice
    assert.equal(reply.neurogate.micro_neurons, 104_200_000);
    assert.match(reply["_request_id"], /^req_/);
  });

  await t.test("url, opened without a key", async () => {
    const reply = await client.images.generate({ prompt: PROMPT, n: 1, response_format: "url" });
    const [{ url }] = reply.data;
    const opened = await fetch(url);
    assert.equal(opened.status, 200);
    assert.equal(opened.headers.get("content-type"), "image/png");
    const bytes = Buffer.from(await opened.arrayBuffer());
    assert.deepEqual(pngSize(bytes), [1024, 1024]);
    const part = await fetch(url, { headers: { range: "bytes=0-7" } });
    assert.equal(part.status, 206);
    assert.equal((await part.arrayBuffer()).byteLength, 8);
    const etag = opened.headers.get("etag");
    const again = await fetch(url, { headers: { "if-none-match": etag } });
    assert.equal(again.status, 304);
    const forged = await fetch(url.replace("tenant=pictures", "tenant=others"));
    assert.equal(forged.status, 404);
    await forged.body?.cancel();
    await server.kill();
    await server.start();
    const kept = await fetch(url);
    assert.deepEqual(Buffer.from(await kept.arrayBuffer()), bytes, "kept over a restart");
  });

  assert.equal(sent.length, 2, "no request was repeated");
  await assertInvariants(server.url, key);
});

test("typed errors", async () => {
  const key = await server.makeTenant("refused", { daily_images_per_user: 1, daily_neurons: 130 });
  const { client, sent } = clientOf(key);
  const rejects = (params, type, check) =>
    assert.rejects(client.images.generate({ prompt: PROMPT, ...params }), (error) => {
      assert.ok(error instanceof type, String(error));
      check(error);
      return true;
    });
  await rejects({ n: 9 }, BadRequestError, (error) => assert.equal(error.param, "n"));
  await rejects({ size: "512x512" }, BadRequestError, (error) => {
    assert.deepEqual([error.param, error.code], ["size", "unsupported_parameter"]);
  });
  await rejects({ model: "dall-e-3" }, NotFoundError, (error) => {
    assert.equal(error.code, "model_not_found");
  });
  await client.images.generate({ prompt: PROMPT, user: "u1" });
  // Told until midnight, not slept until then.
  await rejects({ user: "u1" }, RateLimitError, (error) => {
    assert.equal(error.code, "rate_limit_exceeded");
    assert.equal(error.headers.get("x-should-retry"), "false");
  });
  await client.images.generate({ prompt: PROMPT, user: "u2" });
  await rejects({ user: "u3" }, RateLimitError, (error) => {
    assert.equal(error.code, "insufficient_quota");
  });
  await assert.rejects(client.images.generate({ prompt: PROMPT, stream: true }), (error) => {
    assert.ok(error instanceof APIError);
    assert.equal(error.code, "unsupported_parameter");
    return true;
  });
  assert.equal(sent.length, 8, "no request was repeated");
  await assertInvariants(server.url, key);
});
