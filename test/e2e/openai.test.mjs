// The official client against the real server: it must understand every reply, and do what the
// reply says about trying again.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI, { AuthenticationError, BadRequestError, RateLimitError } from "openai";
import { MARKER, Server, sharedServer } from "./server.mjs";
import { pngPicture } from "./tiny-picture.mjs";

const server = sharedServer();

/** A client with its default settings; `requests` is all that it sent, with the replies. */
function clientOf(apiKey, of = server) {
  const requests = [];
  const counting = async (url, options) => {
    const request = { sentAt: performance.now(), headers: new Headers(options.headers) };
    requests.push(request);
    request.response = await fetch(url, options);
    request.repliedAt = performance.now();
    return request.response;
  };
  const client = new OpenAI({ apiKey, baseURL: `${of.url}/v1`, fetch: counting });
  return { client, requests };
}

/** OpenAI's thirteen, and no other: a typed client knows no more. */
const CATEGORIES = [
  "harassment",
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "illicit",
  "illicit/violent",
  "self-harm",
  "self-harm/instructions",
  "self-harm/intent",
  "sexual",
  "sexual/minors",
  "violence",
  "violence/graphic",
];

function assertResult(result) {
  assert.equal(typeof result.flagged, "boolean");
  for (const [part, type] of Object.entries({
    categories: "boolean",
    category_scores: "number",
    category_applied_input_types: "object",
  })) {
    assert.deepEqual(Object.keys(result[part]).toSorted(), CATEGORIES, part);
    for (const value of Object.values(result[part])) assert.equal(typeof value, type, part);
  }
  assert.equal(result.flagged, result.neurogate.decision !== "allow");
}

test("moderations.create", async (t) => {
  const { client, requests } = clientOf(await server.makeTenant("inputs"));
  const stored = async (result) => {
    const { verdict_id: id } = result.neurogate;
    const { status, body } = await server.send("GET", `/v1/verdicts/${id}`, { key: client.apiKey });
    assert.equal(status, 200);
    return body;
  };

  await t.test("a string", async () => {
    const reply = await client.moderations.create({ input: `A lovely day, ${MARKER}.` });
    assert.match(reply.id, /^modr-/);
    assert.equal(reply.model, "omni-moderation-latest");
    assert.equal(reply.results.length, 1);
    assertResult(reply.results[0]);
    assert.equal(reply.results[0].flagged, false);
    assert.equal((await stored(reply.results[0])).approved, true);
    // The client takes it from the header, under this name.
    assert.match(reply["_request_id"], /^req_/);
  });

  await t.test("an array: one result for each, in order", async () => {
    const model = "omni-moderation-2024-09-26";
    const input = [`Good morning, ${MARKER}`, `You stupid fucking idiot, ${MARKER}`, "Thank you"];
    const reply = await client.moderations.create({ model, input });
    assert.equal(reply.model, model);
    for (const result of reply.results) assertResult(result);
    assert.deepEqual(
      reply.results.map(({ flagged }) => flagged),
      [false, true, false],
    );
    const verdicts = await Promise.all(reply.results.map(stored));
    assert.equal(new Set(verdicts.map(({ id }) => id)).size, 3);
    assert.equal(
      verdicts.reduce((sum, verdict) => sum + verdict.micro_neurons, 0),
      reply.neurogate.micro_neurons,
    );
  });

  await t.test("parts: one result, the picture judged with the text", async () => {
    const url = `data:image/png;base64,${pngPicture(MARKER)}`;
    const reply = await client.moderations.create({
      input: [
        { type: "text", text: `A lovely day, ${MARKER}.` },
        { type: "image_url", image_url: { url } },
      ],
    });
    assert.equal(reply.results.length, 1);
    assertResult(reply.results[0]);
    assert.equal(reply.results[0].flagged, false);
    assert.equal(reply.results[0].neurogate.coverage.nsfw, "evaluated");
    assert.ok(!Object.values(reply.results[0].categories).includes(true));
  });

  assert.equal(requests.length, 3, "no request was repeated");
});

test("a bad key", async () => {
  const good = await server.makeTenant("locked");
  const other = good.endsWith("A") ? "B" : "A";
  for (const apiKey of [`${good.slice(0, -1)}${other}`, `sk-${MARKER}`, server.adminToken]) {
    const { client, requests } = clientOf(apiKey);
    // oxlint-disable-next-line no-await-in-loop -- a few, one after the other
    await assert.rejects(client.moderations.create({ input: MARKER }), (error) => {
      assert.ok(error instanceof AuthenticationError);
      assert.equal(error.code, "invalid_api_key");
      assert.equal(error.type, "invalid_request_error");
      assert.match(error.requestID, /^req_/);
      return true;
    });
    assert.equal(requests.length, 1);
  }
});

test("a bad body names the place", async () => {
  const { client, requests } = clientOf(await server.makeTenant("bodies"));
  const url = `http://example.com/${MARKER}.png`;
  const input = [{ type: "image_url", image_url: { url } }];
  await assert.rejects(client.moderations.create({ input }), (error) => {
    assert.ok(error instanceof BadRequestError);
    assert.equal(error.param, "input[0].image_url.url");
    return true;
  });
  assert.equal(requests.length, 1);
});

test("an exhausted quota is not asked again", async () => {
  // A verdict on a short text is held at 13 and posted at 9.
  const key = await server.makeTenant("spent", { daily_neurons: 20 });
  const { client, requests } = clientOf(key);
  const input = `Have a nice day, ${MARKER}`;
  await client.moderations.create({ input });
  // Looked at first: without it the client would sleep until midnight.
  const { headers } = await server.send("POST", "/v1/moderations", { key, body: { input } });
  assert.equal(headers.get("x-should-retry"), "false");
  await assert.rejects(client.moderations.create({ input }), (error) => {
    assert.ok(error instanceof RateLimitError);
    assert.equal(error.code, "insufficient_quota");
    assert.equal(error.type, "insufficient_quota");
    assert.equal(error.error.kind, "quota_exceeded");
    assert.ok(Number(error.headers.get("retry-after")) >= 1);
    return true;
  });
  assert.equal(requests.length, 2, "one that was admitted, one that was not");
});

/** Longer waits than this are a client's back-off, shorter ones its own business. */
const BACK_OFF_MS = { from: 5000, to: 61_000 };
const SOME_MS = 2500;

test(
  "told to wait, it waits as long as it takes, and succeeds",
  { timeout: 240_000 },
  async (t) => {
    const own = new Server();
    t.after(() => own.stop());
    await own.start();
    const key = await own.makeTenant("paced", { rpm: { requests: 1 } });
    const { client, requests } = clientOf(key, own);
    // The client's minute passes for the server by its clock, and for the client at once. (The same
    // in real time: ../long/openai-wait.test.mjs.)
    const waits = [];
    const later = globalThis.setTimeout;
    t.mock.method(globalThis, "setTimeout", (work, ms, ...rest) => {
      if (!(ms >= BACK_OFF_MS.from && ms <= BACK_OFF_MS.to)) return later(work, ms, ...rest);
      waits.push(ms);
      void own.passTime(ms).then(() => work(...rest));
      return later(() => {}, 0);
    });

    const input = `Have a nice day, ${MARKER}`;
    await client.moderations.create({ input });
    // So that the minute is up well before the longest wait that we ever announce.
    await own.passTime(SOME_MS);
    const reply = await client.moderations.create({ input });
    assert.equal(reply.results.length, 1);
    const [first, refused, admitted, ...more] = requests;
    assert.equal(more.length, 0, "the first wait was long enough");
    assert.equal(refused.response.status, 429);
    const toldMs = Number(refused.response.headers.get("retry-after-ms"));
    // What had passed for the server, at least and at most: the rest of the minute is what is told, and
    // of the second in which the first call was.
    const least = SOME_MS + refused.sentAt - first.repliedAt;
    const most = SOME_MS + refused.repliedAt - first.sentAt;
    assert.ok(toldMs + most >= 60_000, `told to wait ${toldMs} ms after at most ${most} ms`);
    assert.ok(toldMs + least <= 61_000, `told to wait ${toldMs} ms after at least ${least} ms`);
    const toldS = Number(refused.response.headers.get("retry-after"));
    assert.equal(toldS, Math.ceil(toldMs / 1000));
    assert.equal(refused.response.headers.get("x-should-retry"), null);
    assert.deepEqual(waits, [toldMs], "it waited as it was told");
    assert.equal(admitted.response.status, 200);
  },
);
