// The official client told to wait, in real time: a minute, which nothing makes shorter.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { MARKER, sharedServer } from "../e2e/server.mjs";

const server = sharedServer();

test("told to wait, it waits and succeeds", { timeout: 90_000 }, async () => {
  const apiKey = await server.makeTenant("paced-for-real", { rpm: { requests: 1 } });
  const requests = [];
  const counting = async (url, options) => {
    const request = { sentAt: performance.now() };
    requests.push(request);
    request.response = await fetch(url, options);
    request.repliedAt = performance.now();
    return request.response;
  };
  const client = new OpenAI({ apiKey, baseURL: `${server.url}/v1`, fetch: counting });
  const input = `Have a nice day, ${MARKER}`;
  await client.moderations.create({ input });
  // So that the minute is up well before the longest wait that we ever announce.
  await sleep(2500);

  const reply = await client.moderations.create({ input });
  assert.equal(reply.results.length, 1);
  const [, refused, admitted, ...more] = requests;
  assert.equal(more.length, 0, "the first wait was long enough");
  assert.equal(refused.response.status, 429);
  const toldMs = Number(refused.response.headers.get("retry-after-ms"));
  const waitedMs = admitted.sentAt - refused.repliedAt;
  assert.ok(waitedMs > toldMs - 5 && waitedMs < toldMs + 2000, `waited ${waitedMs} ms`);
  assert.equal(admitted.response.status, 200);
});
