import { adjustLine } from "../durable-objects/tenant/ledger/adjustments.ts";
import { createGrant, endGrant } from "../durable-objects/tenant/ledger/grants.ts";
import type { Profile } from "../durable-objects/tenant/profile-store.ts";
import type { ModerationAdmit } from "../durable-objects/tenant/protocol.ts";
import type { Tx } from "../durable-objects/tenant/transactions.ts";
import { type Folded, foldUsage } from "../durable-objects/tenant/usage/fold-usage.ts";
import { microNeurons } from "../src/domain/ledger/micro-neurons.ts";
import { limitOf } from "../src/domain/ledger/quota.ts";
import {
  monthlyCap,
  quotaTerms,
  type Settings,
  withDefaults,
} from "../src/domain/tenant/settings.ts";
import { CRASHES, type CrashingDatabase } from "./crashing-database.ts";
import { answerFreely } from "./generous-account.ts";
import { type InForce, Invariants, type Steady } from "./invariants.ts";
import { checkMemory } from "./memory-invariant.ts";
import type { Random } from "./random.ts";
import { ONE_PICTURE, START_MS } from "./simulated-tenant.ts";
import { type Call, drawCall, drawSettle } from "./tenant-calls.ts";
import { birthOf, isCrash, TenantProcess } from "./tenant-process.ts";

// One tenant's object and its callers, under a virtual clock. The object is the real one but for
// its shell: its node, over a database that crashes, with an account that refuses nothing. Messages to
// it are lost, repeated and overtaken, as between a Worker and an object that restarts.

/** Far more than a history has lines. */
const MOST_FOLDS = 20;

export class World {
  readonly #random: Random;
  readonly #db: CrashingDatabase;
  readonly #invariants: Invariants;
  /** The version of the rows that memory was compared with. */
  #comparedAt = -1;
  readonly #process: TenantProcess;
  #wallMs = START_MS;
  /** The furthest that the wall clock has been. */
  #latestMs = START_MS;
  #calls: Call[] = [];
  #drawn = 0;
  /** Settings are drawn once, and stay. */
  readonly #steady: boolean;
  /** Calls that were admitted. */
  admitted = 0;
  /** What happened, for a history that fails. */
  readonly log: string[] = [];

  constructor(random: Random, db: CrashingDatabase) {
    this.#random = random;
    this.#db = db;
    this.#invariants = new Invariants(db);
    this.#process = new TenantProcess(db, {
      wallMs: () => this.#wallMs,
      sleep: () => Promise.resolve(),
      send: (message) => Promise.resolve(answerFreely(message, this.#wallMs)),
    });
    this.#steady = random.chance(0.3);
    // Its change is made at once.
    if (this.#steady) void this.#changeSettings();
  }

  /** What must hold of every day of a history whose terms stay. */
  #terms(): Steady {
    const { plan, daily, overageCap } = quotaTerms(this.#profile().settings);
    return { plan, daily, cap: overageCap === "unlimited" ? null : overageCap };
  }

  async step(): Promise<void> {
    const random = this.#random;
    if (random.chance(0.15)) {
      this.#db.crashNext(random.pick(CRASHES));
    }
    const act = random.pick(ACTS);
    this.log.push(`${this.#wallMs}: ${act}`);
    await this.#perform(act);
    this.#invariants.check(this.#latestMs, this.#steady ? this.#terms() : null);
    // Memory that is wrong stays wrong until a step writes.
    if (this.#db.version !== this.#comparedAt) {
      checkMemory(this.#process, this.#profile(), this.#wallMs);
    }
    this.#comparedAt = this.#db.version;
  }

  /** A process that died leaves only what was committed. */
  #restart(): void {
    this.log.push("crashed");
    this.#process.restart();
  }

  async #perform(act: (typeof ACTS)[number]): Promise<void> {
    const random = this.#random;
    switch (act) {
      case "call":
        // The first is committed alone, those that come meanwhile together.
        return this.#admitSome(Array.from({ length: random.integer(1, 3) }, () => this.#newCall()));
      case "repeat_admit":
        return this.#withCall((call) => this.#admitSome([call]));
      case "ask_again":
        return this.#withCall((call) => this.#askAgain(call));
      case "settle":
        return this.#withCall((call) => this.#settle(call));
      case "tick":
        return this.#moveClock(random.integer(1, 2000));
      case "wait":
        return this.#moveClock(random.integer(20_000, 100_000));
      case "long_wait":
        return this.#moveClock(random.integer(500_000, 900_000));
      case "clock_back":
        return this.#moveClock(-random.integer(1, 120_000));
      case "settings":
        return this.#steady ? undefined : this.#changeSettings();
      case "grant":
        return this.#grant();
      case "adjust":
        return this.#withCall((call) => this.#adjust(call));
      case "end_grant":
        return this.#endGrant();
      case "alarm":
        return void (await this.#guarded(() => this.#process.node.alarm()));
      case "fold":
        return void (await this.#fold());
      case "crash":
        return this.#restart();
    }
  }

  /** Null: it was cut off. */
  #fold(): Promise<Folded | null> {
    return this.#transact((tx) => foldUsage(tx));
  }

  /** The reports are fed to the end: by then they hold each line once. */
  async finish(): Promise<void> {
    this.log.push("finish");
    this.#wallMs = this.#latestMs;
    for (let step = 0; step < MOST_FOLDS; step += 1) {
      this.#moveClock(1);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      if ((await this.#fold()) === "done") return this.#invariants.folded();
    }
    throw new Error("the fold comes to no end");
  }

  #moveClock(byMs: number): void {
    this.#wallMs += byMs;
    this.#latestMs = Math.max(this.#latestMs, this.#wallMs);
  }

  async #withCall(work: (call: Call) => Promise<unknown>): Promise<void> {
    if (this.#calls.length > 0) await work(this.#random.pick(this.#calls));
  }

  /** A client repeats its request, once or twice at the same time: each is a call of its own. */
  async #askAgain({ request: { idempotency, contents, reuseKeys = [] } }: Call): Promise<void> {
    if (idempotency === null) return;
    const same = { idempotency, contents, reuseKeys };
    await this.#admitSome([
      this.#newCall(same),
      ...(this.#random.chance(0.3) ? [this.#newCall(same)] : []),
    ]);
  }

  #newCall(same: Partial<ModerationAdmit> = {}): Call {
    this.#drawn += 1;
    const call = drawCall(this.#random, { drawn: this.#drawn, wallMs: this.#wallMs }, same);
    const { callId, idempotency } = call.request;
    if (idempotency !== null) this.#invariants.keyed(callId, idempotency.key);
    this.#calls.push(call);
    return call;
  }

  /** Several calls at once: some share a commit. */
  async #admitSome(calls: readonly Call[]): Promise<void> {
    const { settings } = this.#profile();
    const { node } = this.#process;
    const replies = await Promise.all(
      calls.map(({ request }) => this.#guarded(() => node.calls.admit(request))),
    );
    const isGone = node !== this.#process.node;
    for (const [at, call] of calls.entries()) {
      this.#invariants.admission(call.request.callId, inForce(settings, call));
      const reply = replies[at] ?? null;
      const lost = isGone || this.#random.chance(0.1);
      if (lost || reply === null) continue;
      if (reply.kind === "admitted") {
        this.admitted += 1;
        const reuse = reply.reuse?.[0] ?? null;
        this.#replace(call, { ...call, hold: reply.hold, reuse });
      }
      if (reply.kind === "replayed") {
        this.#invariants.confirmed(reply.line.callId, reply.verdicts[0]?.id ?? null);
      }
    }
  }

  async #settle(call: Call): Promise<void> {
    // A repeated settle says the same; a router that never heard of its admission gives it back.
    const request = call.settled ?? drawSettle(this.#random, call);
    this.#replace(call, { ...call, settled: request });
    const { node } = this.#process;
    const reply = await this.#guarded(() => node.calls.settle(request));
    if (reply === null || node !== this.#process.node || this.#random.chance(0.1)) return;
    if (reply.settlement.kind === "unknown_hold") return;
    this.#invariants.confirmed(call.request.callId, request.verdicts[0]?.id ?? null);
  }

  async #changeSettings(): Promise<void> {
    const random = this.#random;
    const plan = random.pick<Settings["plan"]>(["free", "paid"]);
    const cap = random.pick<Settings["overage_cap_neurons"]>(["unlimited", 0, 0.5, 2]);
    const settings = withDefaults({
      plan,
      daily_neurons: random.integer(0, 12) / 4,
      overage_cap_neurons: plan === "free" ? null : cap,
      monthly_cap_neurons: random.pick([null, null, 1, 2.5, 4]),
      overage_usd_per_1000_neurons: random.pick(["0.011", "0.02"]),
      rpm: { requests: random.integer(1, 8), image_classification: random.integer(3, 12) },
      max_in_flight: random.integer(1, 5),
    });
    const change = { kind: "replace", settings } as const;
    const birth = birthOf("simulated");
    await this.#guarded(() => this.#process.node.configure({ birth, change, ifMatch: null }));
  }

  async #grant(): Promise<void> {
    const random = this.#random;
    this.#drawn += 1;
    const request = {
      route: "POST grants",
      id: `grt_${String(this.#drawn).padStart(26, "0")}`,
      amount: microNeurons(random.integer(1, 6) * 200_000),
      reason: "simulated",
      expiresAtMs: this.#latestMs + random.pick([2000, 60_000, 120_000, 400_000, 90_000_000]),
      idempotency: random.chance(0.3) ? { key: "grant", fingerprint: "same" } : null,
    };
    await this.#transact((tx) => createGrant(tx, request));
  }

  /** Of a call that is in progress, or was refused, nothing is given back. */
  async #adjust({ request: { callId: lineId } }: Call): Promise<void> {
    this.#drawn += 1;
    const request = {
      route: "POST adjustments",
      id: `jnl_9999${String(this.#drawn).padStart(22, "0")}`,
      requestId: "req_simulated",
      lineId,
      amount: this.#random.pick([null, microNeurons(100_000), microNeurons(ONE_PICTURE)]),
      reason: "simulated",
      idempotency: this.#random.chance(0.2) ? { key: "adjust", fingerprint: "same" } : null,
    };
    await this.#transact((tx) => adjustLine(tx, request));
  }

  async #endGrant(): Promise<void> {
    const [grant] = this.#process.node.stores.grants
      .list("~", this.#random.integer(0, 2))
      .slice(-1);
    if (grant !== undefined) await this.#transact((tx) => endGrant(tx, grant.id));
  }

  /** Null: it was cut off. */
  #transact<Result>(work: (tx: Tx) => Result): Promise<Result | null> {
    return this.#guarded(() => this.#process.node.transactOrThrow(work));
  }

  #profile(): Profile {
    const profile = this.#process.node.profile();
    if (profile === null) throw new Error("the tenant is gone");
    return profile;
  }

  #replace(call: Call, next: Call): void {
    this.#calls = this.#calls.map((each) => (each.request === call.request ? next : each));
  }

  /** Null: it was cut off, by a crash or a commit that failed. */
  async #guarded<Result>(work: () => Result | Promise<Result>): Promise<Result | null> {
    try {
      return await work();
    } catch (error) {
      if (!isCrash(error)) throw error;
      return null;
    }
  }
}

const ACTS = [
  ...([
    "call",
    "call",
    "call",
    "call",
    "repeat_admit",
    "ask_again",
    "settle",
    "settle",
    "settle",
  ] as const),
  ...(["grant", "end_grant", "adjust"] as const),
  ...(["tick", "tick", "wait", "long_wait", "clock_back", "settings"] as const),
  ...(["alarm", "fold", "fold", "crash"] as const),
] as const;

/** The limits of a call that is admitted now. */
function inForce(settings: Settings, { request }: Call): InForce {
  const pictures = request.contents.reduce((sum, content) => sum + content.pictures, 0);
  return {
    limit: limitOf(quotaTerms(settings)),
    daily: quotaTerms(settings).daily,
    monthlyCap: monthlyCap(settings),
    rates: {
      requests: settings.rpm["requests"] ?? 300,
      image_classification: settings.rpm["image_classification"] ?? 3000,
    },
    units: { requests: 1, image_classification: pictures },
  };
}
