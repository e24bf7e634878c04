// The deployed Worker with a route for the pool's harness, which admits and settles calls at the objects
// as the router does. Messages between a tenant's object and the account get lost, and objects are
// aborted. The account's answers are counted in a table of the harness.
import * as clocked from "./clocked-objects.js";
import worker from "./index.js";

export * from "./clocked-objects.js";

const PLATFORM = { kind: "platform" };

/** The plan of a call: a text, or `pictures` pictures. */
const contentOf = (/** @type {"text" | number} */ content) =>
  content === "text"
    ? { text: { sentiment: [40], judge: [40] }, pictures: 0 }
    : { text: null, pictures: content };

/** How long a call that costs nothing keeps its hold, in real time. */
const HELD_MS = 200;

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID, since an object reads the time in it. */
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
  contents: [contentOf(content)],
  verdictIds: [newId("vrd")],
  policy: { name: null, known: null },
});

/** Charges the whole hold, or nothing if no engine ran. */
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

/** @returns the call's result: its id if it was admitted, else the kind of the refusal */
async function oneCall(env, tenant, { content, end }) {
  const request = admitOf(content);
  try {
    const reply = await env.TENANT.getByName(tenant).admit(request);
    if (reply.kind !== "admitted") {
      return { kind: reply.kind, wrong: reply.wrong };
    }
    if (end === "left") return { kind: "admitted", id: request.callId };
    if (end === "voided_late") await new Promise((resolve) => setTimeout(resolve, HELD_MS));
    const items = reply.hold.stages.map((stage) => itemOf(stage, end === "posted"));
    const settle = { callId: request.callId, items, verdicts: [], account: null, reply: null };
    try {
      await env.TENANT.getByName(tenant).settle(settle);
    } catch {
      // The object was aborted, so an admitted call is held until its deadline.
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
    return worker.fetch(request, env, ctx);
  },
};

/** The kind of a message about neurons. */
const kindOf = ({ lease: { need } }, { lease }) =>
  need === null ? "reported" : lease?.refused ? "refused" : "granted";

const DAY_MS = 86_400_000;

/** The share of unspent neurons that one tenant may have while others ask: the account's default. */
const UNSPENT_SHARE = 0.333;

/** The number of tenants that hold neurons without use, and the beginning of their names. */
const HOSTILE = 2;
const HOSTILE_NAME = "hostile-";

const beyondFloor = ({ spent, floor }) => Math.max(0, spent - floor);

/** A share of fewer calls is not checked. */
const WHOLE_CALLS = 4;

/** The level to which `amount` can raise all values of `has` that are below it. */
function levelOf(/** @type {number} */ amount, /** @type {number[]} */ has) {
  let low = 0;
  let high = Math.max(...has) + amount;
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    const taken = has.reduce((sum, one) => sum + Math.max(0, middle - one), 0);
    if (taken <= amount) low = middle;
    else high = middle;
  }
  return low;
}

export class Account extends clocked.Account {
  #share;

  constructor(ctx, env) {
    super(ctx, env);
    this.#share = Number(env.LOST_SHARE);
    ctx.storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS harness_asked
        (tenant TEXT, kind TEXT, second INTEGER, times, PRIMARY KEY (tenant, kind, second))`,
    );
  }

  /** Loses the message on its way here, or the answer on its way back. */
  async ask(ask) {
    const isLost = Math.random() < this.#share;
    if (isLost && Math.random() < 0.3) throw new Error("lost by the harness");
    const answer = await super.ask(ask);
    if (ask.lease !== null) this.#count(ask.tenant, kindOf(ask, answer));
    if (isLost) throw new Error("lost by the harness");
    return answer;
  }

  breakDown() {
    this.ctx.abort("aborted by the harness");
  }

  /**
   * A tenant's share of the unspent neurons, by the reports. Two hostile tenants must leave a part. The
   * share is an equal portion of that part for each other tenant that asks. It is also at most what raises
   * all of them to one level, counting what each has spent beyond its floor.
   */
  shareOf(tenant) {
    const { sql } = this.ctx.storage;
    const nowMs = Date.now();
    const rows = sql
      .exec(
        `SELECT promises.tenant, floor, COALESCE(spent, 0) AS spent, COALESCE(asked_at_ms, 0) AS asked_at_ms
          FROM promises LEFT JOIN pool_shares ON pool_shares.tenant = promises.tenant AND day = ?`,
        Math.floor(nowMs / DAY_MS),
      )
      .toArray();
    const [{ settings }] = sql.exec("SELECT settings FROM pool_state").toArray();
    const size = JSON.parse(settings).daily_cap_neurons * 1e6;
    const taken = rows.map((row) => Math.max(row.spent, row.tenant === tenant ? 0 : row.floor));
    const unspent = Math.max(0, size - taken.reduce((sum, one) => sum + one, 0));
    const asking = rows.filter((row) => row.asked_at_ms > nowMs - 60_000);
    const own = rows.find((row) => row.tenant === tenant);
    const others = asking.filter((row) => row !== own && !row.tenant.startsWith(HOSTILE_NAME));
    const left = unspent * (1 - HOSTILE * UNSPENT_SHARE);
    const level = levelOf(left, [own, ...others].map(beyondFloor));
    const fair = Math.max(0, level - beyondFloor(own));
    return { share: Math.min(fair, left / (1 + others.length)), unspent };
  }

  /** Counts in the object's storage: if a crash loses a count, nobody got that answer either. */
  #count(tenant, kind) {
    this.ctx.storage.sql.exec(
      `INSERT INTO harness_asked VALUES (?, ?, ?, 1)
        ON CONFLICT DO UPDATE SET times = times + 1`,
      tenant,
      kind,
      Math.floor(Date.now() / 1000),
    );
  }
}

export class Tenant extends clocked.Tenant {
  /**
   * Adds `wrong` to a refusal for the pool that is wrong: the tenant's floor had room, or the call was
   * within the tenant's share of the unspent neurons, however much two hostile tenants hold.
   */
  async admit(request) {
    const reply = await super.admit(request);
    const isForPool =
      reply.kind === "account_quota_exceeded" ||
      (reply.kind === "quota_reserved" && reply.againAtMs !== undefined);
    if (!isForPool) return reply;
    const { sql } = this.ctx.storage;
    const [{ settings, id }] = sql.exec("SELECT settings, id FROM tenant").toArray();
    const floor = (JSON.parse(settings).reserved_neurons ?? 0) * 1e6;
    const { required } = reply.neurons;
    const { used, held } = this.#used();
    if (used + required <= floor) {
      const wrong = `${reply.kind} at ${used} + ${required} of a floor of ${floor} µN`;
      return { ...reply, wrong };
    }
    if (!this.env.IS_CALM) return reply;
    if (id.startsWith(HOSTILE_NAME)) return reply;
    const { share, unspent } = await this.env.ACCOUNT.getByName("account").shareOf(id);
    const wrong = `${reply.kind} at ${held} + ${required} of a share of ${share} µN, ${unspent} unspent`;
    // A share of few calls is not exact, since each call is granted whole.
    const isWithin = held + required <= share && WHOLE_CALLS * required <= share;
    return isWithin ? { ...reply, wrong } : reply;
  }

  #used() {
    const [row] = this.ctx.storage.sql
      .exec(
        `SELECT COALESCE(SUM(CASE outcome WHEN 'pending' THEN held
          ELSE quota + granted + overage END), 0) AS used,
          COALESCE(SUM(CASE outcome WHEN 'pending' THEN held ELSE 0 END), 0) AS held
          FROM journal WHERE day = ?`,
        Math.floor(Date.now() / 86_400_000),
      )
      .toArray();
    return row;
  }

  breakDown() {
    this.ctx.abort("aborted by the harness");
  }
}
