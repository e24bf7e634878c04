// The Worker as it is deployed, with a way in for the pool's harness: calls are admitted and settled
// at the objects themselves, as the router does. Messages between a tenant's object and the account
// get lost, objects are aborted, and what the account answers is counted in rows of its own.
import { shiftAlarms } from "./clock.js";
import * as worker from "./index.js";

const PLATFORM = { kind: "platform" };

/** What a call of each kind is planned as. */
const CONTENTS = {
  picture: { text: null, pictures: 1 },
  text: { text: { sentiment: [40], judge: [40] }, pictures: 0 },
};

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID: an object looks at the time in it. */
function newId(/** @type {string} */ prefix) {
  let id = "";
  for (let left = Date.now(), at = 0; at < 10; at += 1, left = Math.floor(left / 32)) {
    id = DIGITS[left % 32] + id;
  }
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) id += DIGITS[byte % 32];
  return `${prefix}_${id}`;
}

const admitOf = (content) => ({
  kind: "moderation",
  callId: newId("jnl"),
  requestId: newId("req"),
  route: "POST /v1/verdicts",
  caller: PLATFORM,
  userId: null,
  idempotency: null,
  contents: [CONTENTS[content]],
  verdictIds: [newId("vrd")],
  policy: { name: null, known: null },
});

/** Charged what was held, or nothing where no engine ran. */
const itemOf = (stage, ran) => ({
  content: stage.content,
  stage: stage.name,
  input: stage.input,
  model: ran ? stage.model : null,
  engine: ran ? "embedded" : null,
  pricedAs: stage.model,
  task: stage.task,
  calls: ran ? stage.calls.length : 0,
  units: stage.units,
  microNeurons: ran ? stage.bound : 0,
  overrun: 0,
  basis: "counted",
  failed: !ran,
});

/** @returns what the call came to: its id when it was admitted, else why it was not */
async function oneCall(env, tenant, { content, end }) {
  const request = admitOf(content);
  try {
    const reply = await env.TENANT.getByName(tenant).admit(request);
    if (reply.kind !== "admitted") {
      return { kind: reply.kind, wrong: reply.wrong };
    }
    if (end === "left") return { kind: "admitted", id: request.callId };
    const items = reply.hold.stages.map((stage) => itemOf(stage, end === "posted"));
    const settle = { callId: request.callId, items, verdicts: [], account: null, reply: null };
    try {
      await env.TENANT.getByName(tenant).settle(settle);
    } catch {
      // The object is gone: what was admitted is held until its deadline.
    }
    return { kind: "admitted", id: request.callId };
  } catch {
    return { kind: "broken" };
  }
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/harness/calls") {
      const { tenant, calls } = await request.json();
      return Response.json(await Promise.all(calls.map((call) => oneCall(env, tenant, call))));
    }
    if (pathname === "/harness/abort") {
      const { tenant } = await request.json();
      const stub =
        tenant === null ? env.ACCOUNT.getByName("account") : env.TENANT.getByName(tenant);
      await stub.breakDown().catch(() => {});
      return Response.json({});
    }
    return worker.default.fetch(request, env, ctx);
  },
};

/** Of a message about neurons. */
const kindOf = ({ lease: { need } }, { lease }) =>
  need === null ? "reported" : lease?.refused ? "refused" : "granted";

export class Account extends worker.Account {
  #share;

  constructor(ctx, env) {
    super(shiftAlarms(ctx), env);
    this.#share = Number(env.LOST_SHARE);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS harness_asked (kind TEXT PRIMARY KEY, times)");
  }

  /** The message is lost on its way here, or the answer on its way back. */
  async ask(ask) {
    const isLost = Math.random() < this.#share;
    if (isLost && Math.random() < 0.3) throw new Error("lost by the harness");
    const answer = await super.ask(ask);
    if (ask.lease !== null) this.#count(kindOf(ask, answer));
    if (isLost) throw new Error("lost by the harness");
    return answer;
  }

  breakDown() {
    this.ctx.abort("aborted by the harness");
  }

  /** In the transaction's storage: a count that a crash takes is of an answer that nobody got. */
  #count(kind) {
    this.ctx.storage.sql.exec(
      `INSERT INTO harness_asked VALUES (?, 1) ON CONFLICT DO UPDATE SET times = times + 1`,
      kind,
    );
  }
}

export class Tenant extends worker.Tenant {
  constructor(ctx, env) {
    super(shiftAlarms(ctx), env);
  }

  /** With what is wrong about a refusal: it was for the pool, and the tenant's floor had room. */
  async admit(request) {
    const reply = await super.admit(request);
    const isForPool =
      reply.kind === "account_quota_exceeded" ||
      (reply.kind === "quota_reserved" && reply.againAtMs !== undefined);
    if (!isForPool) return reply;
    const { sql } = this.ctx.storage;
    const [{ settings }] = sql.exec("SELECT settings FROM tenant").toArray();
    const floor = (JSON.parse(settings).reserved_neurons ?? 0) * 1e6;
    if (floor === 0) return reply;
    const [{ used }] = sql
      .exec(
        `SELECT COALESCE(SUM(CASE outcome WHEN 'pending' THEN held
          ELSE quota + granted + overage END), 0) AS used FROM journal WHERE day = ?`,
        Math.floor(Date.now() / 86_400_000),
      )
      .toArray();
    const { required } = reply.neurons;
    const wrong = `${reply.kind} at ${used} + ${required} of a floor of ${floor} µN`;
    return used + required <= floor ? { ...reply, wrong } : reply;
  }

  breakDown() {
    this.ctx.abort("aborted by the harness");
  }
}
