// Two hostile tenants beside a third. They must not slow it by more than a stated factor or read
// anything of it. Neither the replies nor their times may show them what exists.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { Random } from "../faults/random.mjs";
import { ask } from "./fuzz.mjs";

/* oxlint-disable no-await-in-loop -- samples are taken one after the other */

const JSON_TYPE = { "content-type": "application/json" };
const bearer = (/** @type {string} */ key) => ({ authorization: `Bearer ${key}` });

const body = (value) => Buffer.from(JSON.stringify(value));

/** Requests that each hostile tenant has open at once. */
export const HOSTILE_CLIENTS = 8;

const quantile = (sorted, share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
const ascending = (numbers) => numbers.toSorted((a, b) => a - b);

const quantiles = (times) => {
  const sorted = ascending(times);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
};

/** Sends a hostile tenant's requests: the ones that cost the server most, as fast as it answers. */
function hostile(url, key, random, run) {
  const long = "this is a long and tedious text, you awful people. ".repeat(1900);
  const requests = [
    ["/v1/verdicts", { text: long }],
    [
      "/v1/moderations",
      { input: Array.from({ length: 100 }, (_, at) => `Number ${at}, you fool.`) },
    ],
    ["/v1/verdicts", { text: "a", metadata: { a: "b" }, nonsense: 1 }],
    ["/v1/moderations", { input: Array.from({ length: 3000 }, () => "x") }],
    ["/v1/verdicts", { text: "Hello there, friend." }],
  ].map(([path, value]) => ({ path, body: body(value) }));
  const reads = ["/v1/verdicts?limit=200", "/v1/ledger?limit=200", "/v1/invariants", "/v1/usage"];
  return Array.from({ length: HOSTILE_CLIENTS }, async () => {
    while (run.on) {
      const read = random.chance(0.3);
      const sent = read
        ? { method: "GET", path: random.pick(reads), headers: bearer(key) }
        : { method: "POST", ...random.pick(requests) };
      const { status } = await ask(url, { ...sent, headers: { ...JSON_TYPE, ...bearer(key) } });
      run.count += 1;
      run.statuses.set(status, (run.statuses.get(status) ?? 0) + 1);
    }
  });
}

/** Times the third tenant's calls alone and beside the two in turns, so that drift of the machine cancels. */
export async function slowdown(url, { third, hostiles, seed, turns, calls }) {
  const alone = [];
  const beside = [];
  const run = { on: false, count: 0, statuses: new Map() };
  const call = async (times, count) => {
    for (let made = 0; made < count; made += 1) {
      const startedMs = performance.now();
      const sent = { text: `Good morning to you, number ${made}.` };
      const { status, text } = await ask(url, {
        method: "POST",
        path: "/v1/verdicts",
        headers: { ...JSON_TYPE, ...bearer(third) },
        body: body(sent),
      });
      assert.equal(status, 200, text);
      times.push(performance.now() - startedMs);
    }
  };
  await call([], 50);
  for (let turn = 0; turn < turns; turn += 1) {
    await call(alone, calls);
    run.on = true;
    const random = new Random(seed, turn);
    const attack = Promise.all(hostiles.flatMap((key) => hostile(url, key, random, run)));
    // An error of the attack is thrown below, with the seed, and not in the middle of the calls.
    attack.catch(() => (run.on = false));
    await call(beside, calls);
    run.on = false;
    await attack;
  }
  return { alone: quantiles(alone), beside: quantiles(beside), calls: alone.length, hostile: run };
}

/** A key with the right checksum for a tenant that never existed. Making it needs the server's secret. */
export function keyOf(tenant, secret, serverSecret) {
  const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const mac = createHmac("sha256", serverSecret)
    .update(`neurogate-key:${tenant}_${secret}`)
    .digest();
  let checksum = "";
  for (let rest = mac.readBigUInt64BE(0); rest > 0n; rest /= 62n) {
    checksum = base62.charAt(Number(rest % 62n)) + checksum;
  }
  return `ng_${tenant}_${secret}${checksum.padStart(11, "0")}`;
}

/** A reply without the parts that may differ between equal replies: request id, date and path. */
function comparable({ status, headers, text }, path) {
  const { "x-request-id": id, date: _, ...others } = headers;
  return JSON.stringify({
    status,
    others,
    text: text.replaceAll(id, "ID").replaceAll(path, "PATH"),
  });
}

const get = (path, key) => ({ method: "GET", path, headers: bearer(key) });

const post = (path, key, value = {}) => ({
  method: "POST",
  path,
  headers: { ...JSON_TYPE, ...bearer(key) },
  body: body(value),
});

/** `signed`: the request needs a key that this server signed, so not every stranger can send it. */
const pair = (name, there, not, signed = false) => ({ name, there, not, signed });

/**
 * Pairs of requests by a stranger (another tenant, or a client without a key). They differ only in
 * whether the named thing exists.
 */
export function pairs(world) {
  const { stranger, verdict, noVerdict, keyId, noKeyId, policy, noPolicy, forged, noForged } =
    world;
  return [
    pair(
      "a verdict of another",
      get(`/v1/verdicts/${verdict}`, stranger),
      get(`/v1/verdicts/${noVerdict}`, stranger),
    ),
    pair(
      "its revisions",
      get(`/v1/verdicts/${verdict}/revisions`, stranger),
      get(`/v1/verdicts/${noVerdict}/revisions`, stranger),
    ),
    pair(
      "a cursor in another's list",
      get(`/v1/verdicts?cursor=${verdict}`, stranger),
      get(`/v1/verdicts?cursor=${noVerdict}`, stranger),
    ),
    pair(
      "another's person",
      get("/v1/verdicts?user_id=third-person", stranger),
      get("/v1/verdicts?user_id=no-such-person", stranger),
    ),
    pair(
      "another's key, rotated",
      post(`/v1/keys/${keyId}/rotate`, stranger),
      post(`/v1/keys/${noKeyId}/rotate`, stranger),
    ),
    pair(
      "another's key, ended",
      { ...get(`/v1/keys/${keyId}`, stranger), method: "DELETE" },
      { ...get(`/v1/keys/${noKeyId}`, stranger), method: "DELETE" },
    ),
    pair(
      "another's policy",
      get(`/v1/policies/${policy}`, stranger),
      get(`/v1/policies/${noPolicy}`, stranger),
    ),
    pair(
      "a call by another's policy",
      post("/v1/verdicts", stranger, { text: "Good day.", policy }),
      post("/v1/verdicts", stranger, { text: "Good day.", policy: noPolicy }),
    ),
    pair(
      "another's picture",
      get(`/v1/images/${world.picture}`, stranger),
      get(`/v1/images/${world.noPicture}`, stranger),
    ),
    pair(
      "a variation of another's picture",
      post(`/v1/images/${world.picture}/variations`, stranger, {}),
      post(`/v1/images/${world.noPicture}/variations`, stranger, {}),
    ),
    pair(
      "another's account",
      get("/client/v4/accounts/third/ai/v1/models", stranger),
      get("/client/v4/accounts/never/ai/v1/models", stranger),
    ),
    pair("a forged key of a tenant", get("/v1/limits", forged), get("/v1/limits", noForged)),
    pair(
      "an ended key of a tenant",
      get("/v1/limits", world.ended),
      get("/v1/limits", world.endedOfDeleted),
      true,
    ),
    pair(
      "a signed key of no tenant",
      get("/v1/limits", world.ended),
      get("/v1/limits", world.neverWas),
      true,
    ),
    pair(
      "the platform's view, by a tenant",
      get("/admin/tenants/third", stranger),
      get("/admin/tenants/thirt", stranger),
    ),
    pair(
      "the platform's view, by nobody",
      { method: "GET", path: "/admin/tenants/third", headers: {} },
      { method: "GET", path: "/admin/tenants/thirt", headers: {} },
    ),
  ];
}

export async function sameAnswers(url, all) {
  for (const { name, there, not } of all) {
    const [a, b] = [await ask(url, there), await ask(url, not)];
    assert.equal(comparable(a, there.path), comparable(b, not.path), `${name}: the answers differ`);
  }
  return all.length;
}

/**
 * How far the times of two interleaved samples differ: the Mann-Whitney effect size U / (n * n), the
 * chance that a time of one is longer than a time of the other. 0.5 means no difference.
 */
export function effect(a, b) {
  const all = [...a.map((ms) => ({ ms, first: true })), ...b.map((ms) => ({ ms, first: false }))];
  all.sort((x, y) => x.ms - y.ms);
  let ranks = 0;
  for (let from = 0; from < all.length;) {
    let to = from;
    while (to < all.length && all[to].ms === all[from].ms) to += 1;
    const rank = (from + 1 + to) / 2; // ties share their mean rank
    for (let at = from; at < to; at += 1) if (all[at].first) ranks += rank;
    from = to;
  }
  return (ranks - (a.length * (a.length + 1)) / 2) / (a.length * b.length);
}

export async function timing(url, all, { samples, seed }) {
  const random = new Random(seed, 77);
  const results = [];
  for (const { name, there, not, signed } of all) {
    const times = { there: [], not: [] };
    const time = async (which, sent) => {
      const startedMs = performance.now();
      await ask(url, sent);
      times[which].push(performance.now() - startedMs);
    };
    for (let warm = 0; warm < 20; warm += 1) {
      await ask(url, there);
      await ask(url, not);
    }
    for (let at = 0; at < samples; at += 1) {
      // In a random order, so that neither always comes second.
      const order = random.chance(0.5) ? ["there", "not"] : ["not", "there"];
      for (const which of order) await time(which, which === "there" ? there : not);
    }
    const median = (which) => quantile(ascending(times[which]), 0.5);
    results.push({
      name,
      signed,
      effect: effect(times.there, times.not),
      differenceUs: (median("there") - median("not")) * 1000,
      medianMs: median("not"),
    });
  }
  return results;
}

/** Checks that no list that a stranger can read holds anything of the third tenant. */
export async function nothingOf(url, stranger, words) {
  const paths = [
    "/v1/verdicts?limit=200",
    "/v1/ledger?limit=200",
    "/v1/keys",
    "/v1/policies",
    "/v1/usage",
    "/v1/refusals",
    "/v1/limits",
    "/v1/invariants",
    "/openapi.json",
    "/healthz",
  ];
  for (const path of paths) {
    const { text } = await ask(url, { method: "GET", path, headers: bearer(stranger) });
    for (const word of words) assert.ok(!text.includes(word), `${path} shows another's ${word}`);
  }
  return paths.length;
}
