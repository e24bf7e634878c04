import type { PoolTenant } from "../../durable-objects/account/pool/pool.ts";
import { AsyncLocalStorage } from "node:async_hooks";
import type {
  AccountAnswer,
  AccountMessage,
} from "../../durable-objects/account/account-protocol.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { dayOf } from "../../src/domain/ledger/period.ts";
import worker, { Account as Shared, Tenant as Governed } from "../../src/index.ts";
import { versionOf } from "../../src/domain/usage/report-rows.ts";
import { readMessage } from "../../src/reports/usage-message.ts";
import { withFixedAi } from "./fixed-ai.ts";

// The unchanged Worker among many tenants, with a meter on the SQL of its objects. The tenants exist only in
// the account's tables. Their messages to the account are like those of real objects.

export * from "../../src/index.ts";
export { Reports } from "./scale-reports.ts";

interface Rows {
  read: number;
  written: number;
}

interface Meter {
  /** Rows of requests only; the account's alarm is counted apart. */
  account: Rows;
  alarm: Rows;
  tenant: Rows;
  /** Calls of tenants' objects: in requests, and by the account's alarm. */
  called: number;
  byAlarm: number;
  /** Messages to tenants without an object, and requests to give back what they do not use. */
  told: number;
  recalled: number;
  /** Calls that the account's object served of tenants' messages. */
  messages: number;
  /** Messages and rows of the feed. */
  fed: { messages: number; rows: number };
}

const nothing = (): Meter => ({
  account: { read: 0, written: 0 },
  alarm: { read: 0, written: 0 },
  tenant: { read: 0, written: 0 },
  called: 0,
  byAlarm: 0,
  told: 0,
  recalled: 0,
  messages: 0,
  fed: { messages: 0, rows: 0 },
});

/** Objects and the Worker are of one isolate here. */
let meter = nothing();

/** True in what the account's alarm does, also after an `await`. */
const inAlarm = new AsyncLocalStorage<true>();
const isAlarm = (): boolean => inAlarm.getStore() === true;

function metered(sql: SqlStorage, of: "account" | "tenant"): SqlStorage {
  const exec = sql.exec.bind(sql);
  const counting = (statement: string, ...values: unknown[]) => {
    const cursor = exec(statement, ...values);
    const rows = cursor.toArray();
    const rowsOf = meter[of === "account" && isAlarm() ? "alarm" : of];
    rowsOf.read += cursor.rowsRead;
    rowsOf.written += cursor.rowsWritten;
    return { toArray: () => rows };
  };
  Object.defineProperty(sql, "exec", { value: counting });
  return sql;
}

/** Ids of tenants that have no object. A call of one is answered at once. */
const SEEDED = /^s-/;

const ABSENT = {
  applyAccountView: async () => {
    meter.told += 1;
    return true;
  },
  giveBack: async () => void (meter.recalled += 1),
  check: async () => ({ kind: "not_found", [Symbol.dispose]: () => undefined }),
} satisfies PoolTenant & { readonly check: () => Promise<unknown> };

/** Only `getByName` of the namespace is called. Its type has more: hence the cast. */
const counted = <Own extends Env>(env: Own): Own => ({
  ...env,
  TENANT: {
    getByName: (id: string) => {
      meter[isAlarm() ? "byAlarm" : "called"] += 1;
      return SEEDED.test(id) ? ABSENT : env.TENANT.getByName(id);
    },
  } as unknown as Env["TENANT"],
});

export class Account extends Shared {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    const sql = metered(ctx.storage.sql, "account");
    super(ctx, counted(env));
    this.#sql = sql;
  }

  override async ask(ask: AccountMessage): Promise<AccountAnswer> {
    meter.messages += 1;
    return super.ask(ask);
  }

  override async alarm(): Promise<void> {
    await inAlarm.run(true, () => super.alarm());
  }

  /** The number of rows of a table. The meter does not count this read. */
  countRows(table: string): number {
    const { read } = meter.account;
    const [row] = this.#sql.exec(`SELECT COUNT(*) AS n FROM ${table}`).toArray();
    meter.account.read = read;
    return Number(row?.["n"]);
  }

  databaseSize(): number {
    return this.#sql.databaseSize;
  }
}

/** The consumer of the queue, as far as a tenant's object sees it. */
const queueOf = (env: Env) => ({
  send: async (body: unknown): Promise<void> => {
    const sent = readMessage(body);
    if (sent === null) throw new Error("not a message of the feed");
    meter.fed.messages += 1;
    meter.fed.rows += sent.rows.length;
    // The queue delivers it later, when the object is done with what it does now.
    setTimeout(() => {
      const { tenant, life, epoch, rows } = sent;
      void env.TENANT.getByName(tenant).rowsArrived(life, epoch, rows.map(versionOf));
    }, 1_000);
  },
});

export class Tenant extends Governed {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    const sql = metered(ctx.storage.sql, "tenant");
    // Only that there is a database matters to the object, and of the queue it uses `send` alone. The
    // types of both have more: hence the cast.
    super(ctx, { ...env, USAGE: queueOf(env), REPORTS: {} } as unknown as Env);
    this.#sql = sql;
  }

  databaseSize(): number {
    return this.#sql.databaseSize;
  }
}

interface Asked {
  readonly tenants: readonly string[];
  /** Numbers its messages: each is larger than those of the same tenant before. */
  readonly seq: number;
  /** The day was found used up by each of them. */
  readonly exhausted?: boolean;
  readonly atOnce: number;
}

const CALL = microNeurons(30_000_000);
const LEASE = microNeurons(60_000_000);

/** The grant of each tenant, as known since the process started. */
const granted = new Map<string, number>();

/** A lease and permits for one call, with what was spent since the message before. */
function askOf(tenant: string, { seq, exhausted = false }: Asked): AccountMessage {
  const nowMs = Date.now();
  const day = dayOf(nowMs);
  const allowance = microNeurons(granted.get(tenant) ?? 0);
  const spent = microNeurons(Math.max(0, allowance - CALL));
  return {
    tenant,
    generation: 1,
    promised: { plan: "free", daily: LEASE, floor: floorOf(tenant), suspended: false, version: 1 },
    notice: 0,
    lease: {
      day,
      seq,
      allowance,
      spent,
      pending: ZERO,
      need: { least: CALL, need: CALL, want: LEASE },
    },
    rates: { calls: [{ text_generation: 1, text_classification: 1 }], more: {} },
    news: exhausted
      ? { kind: "exhausted", day, admittedAtMs: nowMs - 1_000, learnedAtMs: nowMs }
      : null,
    spent: [],
    probe: false,
    look: null,
  };
}

/** Every tenth has one. */
const floorOf = (tenant: string) => (tenant.endsWith("0") ? LEASE : ZERO);

type Told = "granted" | "refused" | "no_permits" | "other";

function toldBy(tenant: string, answer: AccountAnswer): Told {
  if (answer.kind !== "answered" || answer.lease === null || "stale" in answer.lease) {
    return "other";
  }
  granted.set(tenant, answer.lease.granted);
  if (answer.lease.refused !== null) return "refused";
  const { permits } = answer.rates ?? { permits: {} };
  return Object.keys(permits).length === 2 ? "granted" : "no_permits";
}

const accountOf = (env: Env) => env.ACCOUNT.getByName("account") as DurableObjectStub<Account>;

/** Each of them asks once. Returns the number of each answer. */
async function askAll(env: Env, asked: Asked): Promise<Readonly<Record<string, number>>> {
  const account = accountOf(env);
  const told: Record<string, number> = {};
  const queue = asked.tenants.values();
  const lane = async (): Promise<void> => {
    for (const tenant of queue) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in this lane
      const by = toldBy(tenant, await account.ask(askOf(tenant, asked)));
      told[by] = (told[by] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: asked.atOnce }, lane));
  return told;
}

/** The environment of `bench/workerd.mjs`, which binds the reports' object too. */
interface ScaleEnv extends Env {
  readonly REPORT_FILE: DurableObjectNamespace;
}

/** `/scale/…` beside the Worker's own routes. */
async function answerHarness(request: Request, env: ScaleEnv): Promise<Response> {
  const [, , what, name = ""] = new URL(request.url).pathname.split("/");
  const account = accountOf(env);
  if (what === "asks") return Response.json(await askAll(env, await request.json()));
  if (what === "rows") return Response.json(await account.countRows(name));
  if (what === "size") {
    const tenant = env.TENANT.getByName(name) as DurableObjectStub<Tenant>;
    return Response.json(await tenant.databaseSize());
  }
  if (what === "collect") {
    if (gc === undefined) throw new Error("the runtime was started without --expose-gc");
    gc();
    return Response.json(null);
  }
  if (what === "reports") {
    return env.REPORT_FILE.getByName("reports").fetch(request);
  }
  const taken = meter;
  meter = nothing();
  return Response.json(taken);
}

const inner = withFixedAi(worker, (request, env: ScaleEnv) =>
  new URL(request.url).pathname.startsWith("/scale/") ? answerHarness(request, env) : null,
);

/** The router knows an environment by its identity: one for each. */
const known = new WeakMap<ScaleEnv, ScaleEnv>();

export default {
  fetch(request: Request, env: ScaleEnv, ctx: ExecutionContext): Promise<Response> {
    const own = known.get(env) ?? counted(env);
    known.set(env, own);
    return inner.fetch(request, own, ctx);
  },
};
