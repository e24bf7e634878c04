// Sends right and broken requests to every route of /openapi.json. The server must answer as the
// document says, repeat nothing of a request, stay within its memory, and live.
import assert from "node:assert/strict";
import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../faults/random.mjs";
import {
  broken,
  drawHeaders,
  drawPath,
  drawQuery,
  MARK,
  spoiled,
  spoiledBytes,
  written,
} from "./bodies.mjs";
import { drawRight, formOf } from "./generated.mjs";

/* oxlint-disable no-await-in-loop -- each client sends one request after the other */

const CLIENTS = 24;
const MEMORY_EVERY_MS = 250;

/** Longer than any reply may take, even to the largest body. */
const ANSWER_MS = 30_000;

/** The longest error that a reply may have. */
const MAX_ERROR_BYTES = 65_536;

const MOST_KNOWN = 40;

/** A client repeats a request at most this often when the server asks it to. */
const MORE_TRIES = 10;

const METHODS = ["get", "put", "post", "patch", "delete"];

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

/**
 * Sends one request with any bytes and headers.
 *
 * The runtime closes a connection that was idle for five seconds. A request that is written at that
 * moment was never read, so it is sent again on another connection (Node's own advice for
 * `reusedSocket`). A server that is really gone refuses that one too.
 *
 * @returns {Promise<{ status: number, headers: any, text: string }>}
 */
export async function ask(url, request) {
  try {
    return await askOnce(url, request);
  } catch (error) {
    if (error.code === "ECONNRESET" && error.reusedSocket) return askOnce(url, request);
    throw error;
  }
}

/** Repeats a request after a second if the server had no room for its body and asks for that. */
async function asToldTo(url, request) {
  for (let left = MORE_TRIES; ; left -= 1) {
    const reply = await ask(url, request);
    if (reply.status !== 503 || reply.headers["retry-after"] !== "1" || left === 0) return reply;
    await sleep(1000);
  }
}

function askOnce(url, { method, path, headers = {}, body = null }) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const options = { hostname, port, method, path, headers, agent, timeout: ANSWER_MS };
    const sent = httpRequest(options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode, headers: response.headers, text });
      });
      response.on("error", reject);
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    sent.on("error", (error) => reject(Object.assign(error, { reusedSocket: sent.reusedSocket })));
    if (body !== null && headers["transfer-encoding"] === undefined) {
      sent.setHeader("content-length", body.length);
    }
    sent.end(body);
  });
}

/** The schema of an operation's body: of JSON, else of a form; null if it takes no body. */
function bodyOf(content) {
  const json = content["application/json"];
  const form = content["multipart/form-data"];
  return { schema: (json ?? form)?.schema ?? null, isForm: json === undefined };
}

/** The largest size of a body in bytes, from its description; null: it does not say. */
const limitOf = (description = "") => {
  const [, bytes] = /^At most (\d+) bytes/.exec(description) ?? [];
  return bytes === undefined ? null : Number(bytes);
};

export function operationsOf(document) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, { parameters = [], requestBody, responses, security = [] }]) => ({
        method: method.toUpperCase(),
        path,
        parameters,
        ...bodyOf(requestBody?.content ?? {}),
        limit: limitOf(requestBody?.description),
        statuses: new Set(Object.keys(responses).map(Number)),
        auth: Object.keys(security[0] ?? {})[0] ?? null,
      })),
  );
}

/**
 * These replies may repeat the request: a policy's own terms, generated text about the prompt, passages of
 * documents and suggested labels.
 */
const REPEATING =
  /\/(policies|chat|completions|responses|sessions|documents|suggestions|translations|ai\/run|images|export)\b/;

/** @param {{ tenantKey: string[], adminToken: string[] }} keys */
function drawAuth(random, auth, keys) {
  const right = auth === null ? [] : keys[auth];
  const [first = ""] = keys.tenantKey;
  return random.weighted([
    [30, () => (right.length === 0 ? {} : { authorization: `Bearer ${random.pick(right)}` })],
    [1, () => ({})],
    [1, () => ({ authorization: `Bearer ${first.slice(0, -3)}AAA` })],
    [1, () => ({ authorization: `Bearer ${MARK.header}` })],
    [1, () => ({ authorization: `Basic ${MARK.header}` })],
    [1, () => ({ authorization: `Bearer ng_${MARK.header}_${"a".repeat(43)}` })],
    [
      1,
      () => ({
        authorization: `Bearer ${random.pick(keys[auth === "adminToken" ? "tenantKey" : "adminToken"])}`,
      }),
    ],
  ])();
}

function drawRequest(random, { operation, keys, known }) {
  const headers = { ...drawAuth(random, operation.auth, keys), ...drawHeaders(random) };
  const query = endingAtOnce(drawQuery(random, operation.parameters), operation);
  const method = random.chance(0.01) ? random.pick(["HEAD", "OPTIONS", "TRACE"]) : operation.method;
  if (operation.schema === null) {
    const stray = method !== "GET" && random.chance(0.1) ? Buffer.from(MARK.value) : null;
    return { method, path: drawPath(random, operation.path, known) + query, headers, body: stray };
  }
  const drawn = drawRight(random, operation);
  const { body, headers: own } = withoutPrune(operation, drawBody(random, drawn.right, operation));
  const path = drawPath(random, drawn.path, known) + query;
  return { method, path, headers: { ...headers, ...own }, body };
}

/** A stream lasts as long as the request asks, or for a minute. Here it must end at once. */
function endingAtOnce(query, { parameters }) {
  if (!parameters.some(({ name }) => name === "for_s")) return query;
  if (query.includes("for_s=")) return query.replace(/\bfor_s=[^&]*/, "for_s=0");
  return query === "" ? "?for_s=0" : `${query}&for_s=0`;
}

/** Turns off `prune`: no state names the tenant that the requests are made with, so it would be suspended. */
const withoutPrune = ({ path }, { body, headers }) =>
  path === "/admin/state"
    ? {
        body: Buffer.from(
          body.toString("latin1").replace('"prune":true', '"prune":null'),
          "latin1",
        ),
        headers,
      }
    : { body, headers };

/** @returns {{ body: Buffer, headers: Record<string, string> }} */
function drawBody(random, right, { schema, isForm }) {
  const how = random.weighted([
    [3, "right"],
    [5, "broken"],
    [2, "spoiled"],
  ]);
  if (Buffer.isBuffer(right)) {
    const sent = { body: right, headers: { "content-type": "application/octet-stream" } };
    return how === "right" ? sent : spoiledBytes(random, sent);
  }
  if (isForm) {
    const fields = how === "broken" ? broken(random, right) : right;
    const sent = formOf(Object(fields), schema);
    return how === "spoiled" ? spoiledBytes(random, sent) : sent;
  }
  if (how === "spoiled") return spoiled(random, written(right));
  const body = Buffer.from(written(how === "right" ? right : broken(random, right)));
  return { body, headers: { "content-type": "application/json" } };
}

/** The embedded engine's answer to a recording, if the rest of the request is right. */
const isUnsupported = ({ status, text }) => status === 501 && text.includes('"engine_unsupported"');

/** This server has no assets, so it has no text model to calibrate. */
const lacksModel = ({ status }, { path }) => status === 503 && path.endsWith("/policies/calibrate");

/** A reply may repeat a model's name that is in the path. */
const namesModel = ({ path }) => /\/models\/\{id\}$|\/\{model\}$/.test(path);

/** Compares a reply with the replies that are allowed. Throws with what is wrong. */
const without = (/** @type {string} */ left) => (name, value) =>
  name === left ? undefined : value;

function check(reply, sent, operation) {
  const { status, headers, text } = reply;
  const isExpected = isUnsupported(reply) || lacksModel(reply, operation);
  assert.ok(status < 500 || isExpected, `answered ${status}: ${text.slice(0, 300)}`);
  assert.ok(headers["x-request-id"], "has no x-request-id");
  const asked = sent.method === operation.method;
  const declared = operation.statuses.has(status) || [404, 405].includes(status);
  if (asked) assert.ok(declared, `answered ${status}, which the document does not list`);
  assert.ok(
    !text.includes(MARK.text) || REPEATING.test(operation.path),
    "repeats what was to be moderated",
  );
  if (status < 400) return;
  assert.ok(text.length <= MAX_ERROR_BYTES, `says ${text.length} bytes about an error`);
  for (const which of ["value", "query", "header"]) {
    assert.ok(!text.includes(MARK[which]), `repeats a ${which}: ${text.slice(0, 400)}`);
  }
  if (sent.method === "HEAD") return;
  assert.match(headers["content-type"], /^application\/(problem\+)?json$/);
  const body = JSON.parse(text);
  const error = body.error ?? (body.success === false ? body.errors[0] : body);
  assert.equal(error.request_id, headers["x-request-id"]);
  const { instance: _, errors: __, detail: ___, param: ____, message: _____, ...others } = error;
  // The pointer, in Cloudflare's error shape.
  const { source: ______, ...rest } = others;
  for (const which of ["path", "name", "model"]) {
    assert.ok(
      // In Google's error shape this holds the pointers.
      !JSON.stringify(rest, without("fieldViolations")).includes(MARK[which]),
      `repeats a ${which}: ${text.slice(0, 400)}`,
    );
  }
  const words = error.detail ?? error.message;
  assert.ok(!words.includes(MARK.path) || namesModel(operation), "repeats a path in words");
}

/** The collection of an id, by its beginning. */
const COLLECTION = {
  key_: "keys",
  whk_: "webhooks",
  dlv_: "deliveries",
  doc_: "documents",
  ses_: "sessions",
  resp: "responses",
  run_: "runs",
};

/** Remembers what was made, so that later requests can read, change and end it. */
function learn(ids, id) {
  const known = ids[COLLECTION[String(id).slice(0, 4)]];
  if (known === undefined) return;
  if (known.length > MOST_KNOWN) known.shift();
  known.push(id);
}

/** Bytes that are not HTTP, or bad HTTP. The connection may end; the server must not. */
async function rawRequest(random, url) {
  const { hostname, port } = new URL(url);
  const text = random.pick([
    "\r\n\r\n",
    `GET /${"a".repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    `GET /v1/limits HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${MARK.header}\u0000\r\n\r\n`,
    `POST /v1/verdicts HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\ncontent-length: 20\r\n\r\n{}`,
    `POST /v1/verdicts HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n${MARK.value}`,
    `POST /v1/verdicts HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n{"text":"${MARK.text}`,
    `GET /v1/limits HTTP/1.1\r\n${`x-a: ${MARK.header}\r\n`.repeat(2000)}\r\n`,
    `${MARK.value} /v1/limits HTTP/9.9\r\n\r\n`,
    `GET http://${MARK.path}/v1/limits HTTP/1.1\r\nhost: ${MARK.header}\r\n\r\n`,
    `GET /../..%2f..//v1//limits?a=%00 HTTP/1.1\r\nhost: x\r\n\r\n`,
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    String.fromCodePoint(...Array.from({ length: 200 }, () => random.integer(0, 255))),
  ]);
  const socket = connect(Number(port), hostname);
  let answer = "";
  socket.on("error", () => {});
  socket.setEncoding("latin1").on("data", (chunk) => (answer += chunk));
  socket.write(Buffer.from(text, "latin1"));
  await Promise.race([new Promise((closed) => socket.on("close", closed)), sleep(30)]);
  socket.destroy();
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
  // The runtime itself answers 501 to an unknown method, before our code runs.
  assert.ok(
    status < 500 || status === 501,
    `answered ${status} to raw bytes: ${text.slice(0, 80)}`,
  );
  for (const mark of [MARK.header, MARK.value, MARK.text]) {
    assert.ok(!answer.includes(mark), `repeats raw bytes: ${answer.slice(0, 300)}`);
  }
}

/**
 * @param {import("../faults/workerd.mjs").Workerd} server
 * @param {{ seed: number, requests: number, keys: any, known: any, maxMemory: number }} options
 */
export async function fuzz(server, { seed, requests, keys, known, maxMemory }) {
  const { text } = await ask(server.url, { method: "GET", path: "/openapi.json" });
  const operations = operationsOf(JSON.parse(text));
  const statuses = new Map();
  const successes = new Map(operations.map((operation) => [operation, 0]));
  const memory = [];
  let sentCount = 0;
  let raw = 0;
  let cutShort = 0;
  let slowest = { ms: 0, what: "" };
  let fault = null;

  const sample = setInterval(() => memory.push(server.memory()), MEMORY_EVERY_MS);
  async function client(number) {
    const random = new Random(seed, number);
    while (sentCount < requests && fault === null) {
      sentCount += 1;
      const operation = random.pick(operations);
      const sent = drawRequest(random, { operation, keys, known });
      try {
        if (random.chance(0.005)) {
          raw += 1;
          await rawRequest(random, server.url);
          continue;
        }
        const startedMs = performance.now();
        const reply = await asToldTo(server.url, sent);
        const ms = performance.now() - startedMs;
        if (ms > slowest.ms) {
          slowest = {
            ms,
            what: `${sent.method} ${operation.path}, ${sent.body?.length ?? 0} bytes`,
          };
        }
        statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
        if (reply.status < 300 || isUnsupported(reply) || lacksModel(reply, operation))
          successes.set(operation, successes.get(operation) + 1);
        check(reply, sent, operation);
        const made = reply.status < 300 && reply.headers["content-type"] === "application/json";
        if (made && reply.text !== "") learn(known.ids, JSON.parse(reply.text).id);
      } catch (error) {
        // The connection ends when a body is refused before it has arrived.
        const cut =
          ["ECONNRESET", "EPIPE"].includes(error.code) && (sent.body?.length ?? 0) > 65_536;
        if (cut && server.alive) {
          cutShort += 1;
          continue;
        }
        const at = `${sent.method} ${sent.path.slice(0, 300)} ${JSON.stringify(sent.headers).slice(0, 300)}`;
        const body = sent.body === null ? "" : ` ${sent.body.toString().slice(0, 600)}`;
        fault ??= new Error(`${error.message}\n  to ${at}${body}`, { cause: error });
      }
    }
  }
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  clearInterval(sample);
  if (fault !== null) throw fault;
  const seconds = (performance.now() - startedMs) / 1000;
  const { status } = await ask(server.url, { method: "GET", path: "/healthz" });
  assert.equal(status, 200, "the server is not healthy at the end");
  const untouched = [...successes]
    .filter(([, count]) => count === 0)
    .map(([o]) => `${o.method} ${o.path}`);
  const sizes = memory.filter((bytes) => bytes !== null);
  const peak = Math.max(0, ...sizes);
  assert.ok(peak < maxMemory, `${peak} bytes of memory`);
  const half = sizes.slice(0, sizes.length / 2);
  return {
    operations: operations.length,
    untouched,
    statuses,
    raw,
    cutShort,
    seconds,
    slowest,
    memory: { peak, peakOfFirstHalf: Math.max(0, ...half), last: sizes.at(-1) ?? 0 },
  };
}
