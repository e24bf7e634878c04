// The same gateway as a Node server with Redis. Our own edge, plan and moderation run in Node unchanged.
// The checks, the hold, the line and the verdict are in Redis. It is a process of its own.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import * as v from "valibot";
import { CATALOGUE_VERSION, resolveModel } from "../../src/domain/catalogue/catalogue.ts";
import { charged, makeHold, post } from "../../src/domain/ledger/ledger.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { dayOf, endOf } from "../../src/domain/ledger/period.ts";
import { planModeration } from "../../src/domain/moderation/plan-moderation.ts";
import { rateUnits } from "../../src/domain/moderation/stage.ts";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import { NOTHING_DRAWN } from "../../src/domain/ledger/quota.ts";
import { createWorkersAiEngine } from "../../src/engines/workers-ai/engine.ts";
import { newId } from "../../src/http/ids.ts";
import { issueKey, verifyKey } from "../../src/http/authenticate.ts";
import { callHeaders, rateLimitHeaders } from "../../src/http/rate-headers.ts";
import { moderationCall } from "../../src/moderation/moderation-call.ts";
import { VerdictInput } from "../../src/api/native/content.ts";
import { toVerdict } from "../../src/domain/moderation/verdict.ts";
import { FIXED_AI } from "../workers/fixed-ai.ts";
import { connect } from "./redis-client.mjs";
import { ADMIT, SETTLE } from "./redis.lua.mjs";

// Functions that workerd has and this Node lacks.
if (!("toHex" in Uint8Array.prototype)) {
  // oxlint-disable-next-line no-extend-native -- the standard's own method
  Object.defineProperty(Uint8Array.prototype, "toHex", {
    value() {
      return Buffer.from(this).toString("hex");
    },
  });
}
crypto.subtle.timingSafeEqual ??= (a, b) => timingSafeEqual(a, b);

const LIMIT = 1_000_000_000_000_000;
const PER_MINUTE = 1_000_000;
const CLASSES = ["requests", "text_generation", "text_classification"];
const SECRETS = ["bench-key-secret-of-at-least-32-bytes!"];
const CONTENT_SECRET = "0123456789abcdef".repeat(4);

const redis = connect(Number(process.argv[2]));
const admitSha = await redis("SCRIPT", "LOAD", ADMIT);
const settleSha = await redis("SCRIPT", "LOAD", SETTLE);

const policy = defaultPolicy("workers-ai");
const engine = createWorkersAiEngine(FIXED_AI);
const config = { prices: {}, inference: "workers-ai" };

async function makeTenant(/** @type {string} */ id) {
  const { key, secretHash } = await issueKey(id, SECRETS);
  const rates = CLASSES.flatMap((name) => [`rpm:${name}`, PER_MINUTE]);
  const settings = ["limit", LIMIT, "max_in_flight", 10_000, "suspended", 0, ...rates];
  await redis("HSET", `${id}:tenant`, ...settings);
  await redis("HSET", `${id}:keys`, secretHash, "manage");
  return key;
}

/** A tenant's object, in Redis. */
function tenantIn(/** @type {string} */ id) {
  const holds = new Map();
  return {
    async admit(request) {
      const plan = planModeration(policy, request.contents, (model) =>
        resolveModel(model, { workersPlan: "paid", prices: {} }),
      );
      const { stages } = plan;
      const nowMs = Date.now();
      const hold = makeHold({
        callId: request.callId,
        requestId: request.requestId,
        route: request.route,
        keyId: null,
        userId: request.userId,
        day: dayOf(nowMs),
        admittedAtMs: nowMs,
        deadlineMs: nowMs + 90_000,
        priceBook: CATALOGUE_VERSION,
        stages,
      });
      const keys = ["tenant", "keys", `meter:${hold.day}`, "windows", "holds"];
      const [kind] = await redis(
        "EVALSHA",
        admitSha,
        keys.length,
        ...keys.map((name) => `${id}:${name}`),
        request.caller.secretHash,
        nowMs,
        hold.callId,
        hold.held,
        "holds",
        JSON.stringify(hold),
        ...Object.entries(rateUnits(stages)).flat(),
      );
      if (kind !== "admitted") return { kind };
      holds.set(hold.callId, hold);
      return {
        kind: "admitted",
        hold,
        policy: { name: "default", version: 1, tag: "1.1", body: policy },
      };
    },
    async settle(request) {
      const hold = holds.get(request.callId);
      holds.delete(request.callId);
      const nowMs = Date.now();
      const [found] = request.verdicts;
      const mac = createHmac("sha256", CONTENT_SECRET).update(found.contentHash);
      const verdict = { ...found, contentHash: mac.digest("hex"), createdAtMs: nowMs };
      const at = {
        terms: { plan: "free", daily: LIMIT, overageCap: 0, overageUsdPer1000: "0" },
        drawn: NOTHING_DRAWN,
        nowMs,
      };
      const line = post(hold, request.items, verdict.id, at);
      const day = `${id}:meter:${hold.day}`;
      const totals = line.items.flatMap((item) => [
        `${item.engine}|${item.model}|micro_neurons`,
        item.microNeurons,
        `${item.engine}|${item.model}|calls`,
        item.calls,
      ]);
      const keys = [day, `${id}:holds`, `${id}:${line.callId}`, `${id}:${verdict.id}`];
      const [kind, posted, pending] = await redis(
        "EVALSHA",
        settleSha,
        5,
        ...keys,
        `${id}:totals:${hold.day}`,
        line.callId,
        hold.held,
        charged(line),
        JSON.stringify(line),
        JSON.stringify(verdict),
        ...totals,
      );
      if (kind !== "settled") throw new Error(kind);
      const neurons = {
        limit: microNeurons(LIMIT),
        posted: microNeurons(posted),
        pending: microNeurons(Number(pending)),
        available: microNeurons(LIMIT - posted - Number(pending)),
        required: ZERO,
        dayEndsAtMs: endOf(hold.day),
        dailyQuota: microNeurons(LIMIT),
      };
      const rates = Object.keys(rateUnits(hold.stages)).map((name) => ({
        name,
        limit: PER_MINUTE,
        remaining: PER_MINUTE - 1,
        freesAtMs: nowMs + 61_000,
      }));
      return {
        settlement: { kind: "settled", line },
        verdicts: [verdict],
        standing: { neurons, rates, nowMs },
      };
    },
  };
}

async function answer(/** @type {string} */ authorization, /** @type {string} */ body) {
  const key = await verifyKey(/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? "", SECRETS);
  if (key === null) return { status: 401, body: {} };
  const parsed = v.safeParse(VerdictInput, JSON.parse(body));
  if (!parsed.success) return { status: 400, body: {} };
  const { output } = parsed;
  const tenant = tenantIn(key.tenant);
  const moderated = await moderationCall(
    { config, engine, tenant: () => tenant, resolveHost: null },
    {
      callId: newId("jnl"),
      requestId: newId("req"),
      route: "POST /v1/verdicts",
      tenantId: key.tenant,
      caller: { kind: "key", secretHash: key.secretHash, roles: ["call"] },
      userId: null,
      policyName: null,
      contents: [
        {
          verdictId: newId("vrd"),
          contentId: null,
          userId: null,
          metadata: output.metadata,
          language: null,
          text: output.text,
          pictures: [],
        },
      ],
      idempotency: null,
    },
  );
  if (moderated.kind !== "moderated") return { status: 429, body: { kind: moderated.kind } };
  const { microNeurons: cost, standing } = moderated;
  const { available } = standing.neurons;
  const headers = {
    ...callHeaders({ microNeurons: cost, available, engine: "workers-ai", replayed: false }),
    ...rateLimitHeaders(standing),
  };
  return { status: 200, body: toVerdict(moderated.verdicts[0]), headers };
}

async function reply({ url, headers: { authorization = "" } }, body) {
  try {
    if (url === "/tenants")
      return { status: 200, text: JSON.stringify({ key: await makeTenant(body) }) };
    const { body: value, ...answered } = await answer(authorization, body);
    return { ...answered, text: JSON.stringify(value) };
  } catch (error) {
    return { status: 500, text: JSON.stringify({ error: String(error) }) };
  }
}

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    void reply(request, body).then(({ status, headers, text }) => {
      const length = Buffer.byteLength(text);
      response.writeHead(status, {
        "content-type": "application/json",
        "content-length": length,
        ...headers,
      });
      response.end(text);
    });
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
process.stdin.resume().on("end", () => process.exit(0));
