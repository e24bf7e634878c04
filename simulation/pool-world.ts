import type { AccountAnswer, AccountMessage } from "../durable-objects/account/account-protocol.ts";
import type { Feature } from "../durable-objects/database.ts";
import type { PoolTenant } from "../durable-objects/account/pool/pool.ts";
import type {
  AdmitReply,
  ModerationAdmit,
  SettleRequest,
} from "../durable-objects/tenant/protocol.ts";
import { heldItem, type Hold } from "../src/domain/ledger/ledger.ts";
import { microNeurons } from "../src/domain/ledger/micro-neurons.ts";
import { dayOf } from "../src/domain/ledger/period.ts";
import { promisedBy, withDefaults } from "../src/domain/tenant/settings.ts";
import { CRASHES, CrashingDatabase } from "./crashing-database.ts";
import { PoolInvariants } from "./pool-invariants.ts";
import { SimulatedTenant } from "./pool-tenant.ts";
import type { Random } from "./random.ts";
import { ONE_PICTURE, START_MS } from "./simulated-tenant.ts";
import { isCrash, prepareTenant } from "./tenant-process.ts";
import { prepareAccount, SimulatedAccount } from "./simulated-account.ts";

// Three tenants of one account. Each object is a process of its own with a database and a clock. Messages
// between them may be late, lost, repeated or out of order. Some tenants cannot reach the account for a
// while, and any process may crash at a commit.

const NAMES = ["tenant-a", "tenant-b", "tenant-c"] as const;
const IMAGES = "image_classification";

/** The databases of all histories. Their schemas are made once. */
export class PoolStage {
  readonly account = new CrashingDatabase();
  readonly tenants = NAMES.map(() => new CrashingDatabase());
  readonly #tables: readonly Feature[];

  /** @param tables of the tenants, made ahead */
  constructor(tables: readonly Feature[]) {
    this.#tables = tables;
  }

  async prepare(): Promise<void> {
    prepareAccount(this.account, NAMES);
    await Promise.all(
      this.tenants.map((db, at) => prepareTenant(db, { id: NAMES[at], tables: this.#tables })),
    );
  }

  begin(): void {
    for (const db of [this.account, ...this.tenants]) db.beginHistory();
  }

  forget(): void {
    for (const db of [this.account, ...this.tenants]) db.forgetHistory();
  }
}

/** A message on its way to the account, or its answer on its way back. */
interface Mail {
  readonly ask: AccountMessage;
  readonly answer: AccountAnswer | null;
  /** The promise that waits for the answer; null: nobody waits any more. */
  readonly waits: {
    readonly resolve: (answer: AccountAnswer) => void;
    readonly reject: (error: Error) => void;
  } | null;
}

/**
 * `dear`: calls with the largest possible hold that cost nothing. `erratic`: calls that are too large for
 * the rest, and small ones, in turn.
 */
type Manner = "honest" | "dear" | "erratic";

/** A tenant's latest request for neurons. */
interface Question {
  readonly starts: number;
  readonly atMs: number;
  /** The number of its message. */
  readonly seq: number;
  wasRefused: boolean;
}

/** The shortest time between two requests of one process: after a refusal, and otherwise. */
const ASK_EVERY_REFUSED_MS = 1_000;
const ASK_EVERY_MS = 100;

interface Call {
  readonly tenant: SimulatedTenant;
  readonly request: ModerationAdmit;
  hold: Hold | null;
}

export class PoolWorld {
  readonly #random: Random;
  readonly #account: SimulatedAccount;
  readonly #tenants: readonly SimulatedTenant[];
  readonly #invariants: PoolInvariants;
  readonly #floors = new Map<string, number>();
  readonly #manners = new Map<string, Manner>();
  readonly #questions = new Map<string, Question>();
  readonly #cutOff = new Set<string>();
  #nowMs = START_MS;
  #mail: Mail[] = [];
  #calls: Call[] = [];
  #sleepers: { readonly untilMs: number; readonly resolve: () => void }[] = [];
  #drawn = 0;
  #failure: Error | null = null;
  /** Calls that were admitted. */
  admitted = 0;
  readonly log: string[] = [];

  constructor(random: Random, stage: PoolStage) {
    this.#random = random;
    const nowMs = () => this.#nowMs;
    const sleep = (ms: number) => this.#sleep(ms);
    const tenant = (id: string) => this.#tenant(id);
    const skew = () => random.integer(-2000, 2000);
    // On the paid plan there is no cap at first; later steps set and remove one.
    const plan = random.chance(0.3) ? "paid" : "free";
    this.#isCapped = plan === "free";
    this.#account = new SimulatedAccount(stage.account, skew(), { nowMs, sleep, tenant, plan });
    this.#tenants = stage.tenants.map(
      (db, at) =>
        new SimulatedTenant(NAMES[at] ?? "", db, skew(), {
          nowMs,
          sleep,
          send: (ask) => this.#send(ask),
          plan,
        }),
    );
    // Either few pictures a call, with permits call by call, or many pictures, with permits in chunks.
    const isSmall = random.chance(0.6);
    this.#scale = isSmall ? 1 : 40;
    const size = random.integer(12, 40) * ONE_PICTURE * this.#scale;
    const rate = isSmall ? random.integer(4, 25) : random.integer(301, 900);
    const holdShare = random.pick([0.1, 0.2, 0.5, 1]);
    const unspentShare = random.pick([0.2, 0.333, 1]);
    this.#size = size;
    this.#later(
      this.#account.pool.patch({
        daily_cap_neurons: this.#isCapped ? size / 1e6 : null,
        rpm: { [IMAGES]: rate },
        max_hold_share: holdShare,
        max_unspent_share: unspentShare,
      }),
    );
    for (const one of this.#tenants) this.#promise(one, size);
    const isHostile = random.chance(0.5);
    for (const [at, { id }] of this.#tenants.entries()) {
      this.#manners.set(id, isHostile ? (MANNERS[at] ?? "honest") : "honest");
    }
    const terms = { size, rate, rateClass: IMAGES, holdShare, unspentShare, floors: this.#floors };
    this.#invariants = new PoolInvariants(this.#account, this.#tenants, terms);
  }

  readonly #scale: number;
  readonly #size: number;
  #isCapped: boolean;

  async step(): Promise<void> {
    const random = this.#random;
    if (random.chance(0.12)) {
      const node = random.pick([this.#account, ...this.#tenants]);
      node.db.crashNext(random.pick(CRASHES));
    }
    const act = random.pick(ACTS);
    this.log.push(`${this.#nowMs}: ${act}`);
    this.#guarded(() => this.#perform(act));
    await this.#checked();
  }

  /** Delivers all messages, ends every hold, and rings the alarms until there is nothing left to do. */
  async rest(): Promise<void> {
    this.#cutOff.clear();
    for (const db of [this.#account.db, ...this.#tenants.map((tenant) => tenant.db)]) {
      db.crashNext("none");
    }
    // First let calls end that wait for their turn to ask.
    for (let second = 0; second < 60; second += 1) {
      this.#nowMs += 1000;
      this.#exchange();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.#checked();
    }
    await this.#quiet(QUIET);
    this.#invariants.noneWaitsForAnOpenDay();
    await this.#hearOfClosedDay();
    await this.#quiet([...QUIET, 86_400_000, ...QUIET]);
    this.#invariants.atRest();
  }

  async #quiet(waitsMs: readonly number[]): Promise<void> {
    for (const waitMs of waitsMs) {
      this.#nowMs += waitMs;
      for (const tenant of this.#tenants) this.#later(tenant.alarm());
      this.#later(this.#account.alarm());
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.#delivered();
    }
  }

  async #delivered(): Promise<void> {
    for (let mail = 0; mail < 12; mail += 1) {
      this.#exchange();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.#checked();
    }
  }

  /** A tenant that does not know that the day is closed learns it with its next call. Only one probe runs. */
  async #hearOfClosedDay(): Promise<void> {
    if (!this.#invariants.isClosed()) return;
    let admitted = 0;
    for (const tenant of this.#tenants) {
      const call: Call = { tenant, request: this.#request(tenant), hold: null };
      const reply = tenant.admit(call.request);
      this.#later(
        reply.then((given) => {
          if (given.kind !== "admitted") return;
          admitted += 1;
          const items = given.hold.stages.map((stage) => ({
            ...heldItem(stage),
            model: null,
            engine: null,
            microNeurons: microNeurons(0),
          }));
          const { callId } = call.request;
          this.#later(tenant.settle({ callId, items, verdicts: [], account: null, reply: null }));
        }),
      );
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.#delivered();
    }
    if (admitted > 1) throw new Error(`${admitted} calls ran on a closed day`);
  }

  async #checked(): Promise<void> {
    this.#wake();
    // By then all work that does not wait for a message is done.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#failure !== null) throw this.#failure;
    this.#invariants.check((callId) => {
      const call = this.#calls.find(({ request }) => request.callId === callId);
      return call === undefined ? 0 : picturesOf(call.request);
    });
  }

  #promise(tenant: SimulatedTenant, size: number): void {
    const floor = this.#random.pick([0, 0.2, 0.3]) * size;
    this.#floors.set(tenant.id, Math.floor(floor));
    const settings = withDefaults({
      plan: "free",
      daily_neurons: 10_000,
      reserved_neurons: Math.floor(floor) / 1e6,
    });
    this.#later(tenant.configure(settings));
    tenant.restart();
    const promised = tenant.transact((tx) => promisedBy(tx.profile));
    this.#account.pool.promise(tenant.id, 1, promised);
  }

  #perform(act: (typeof ACTS)[number]): void {
    const random = this.#random;
    switch (act) {
      case "call":
        return this.#callSome(random.chance(0.4) ? random.integer(2, 4) : 1);
      case "settle":
        return this.#settle();
      case "carry":
        return this.#carry();
      case "exchange":
        return this.#exchange();
      case "lose":
        return this.#lose();
      case "tick":
        return void (this.#nowMs += random.integer(1, 3000));
      case "wait":
        return void (this.#nowMs += random.integer(20_000, 100_000));
      case "tend":
        return this.#later(random.pick(this.#tenants).alarm());
      case "alarm":
        return this.#later(this.#account.alarm());
      case "cut_off":
        return this.#cutOrHeal(random.pick(this.#tenants).id);
      case "close_to_many":
        return this.#closeToMany();
      case "cap":
        return this.#cap();
      case "reopen":
        return this.#later(this.#account.pool.reopen());
      case "forget_rates":
        return this.#forgetRates();
      case "crash":
        return random.pick([this.#account, ...this.#tenants]).restart();
    }
  }

  #callSome(count: number): void {
    const tenant = this.#random.pick(this.#tenants);
    for (let at = 0; at < count; at += 1) {
      const call: Call = { tenant, request: this.#request(tenant), hold: null };
      this.#calls.push(call);
      this.#later(tenant.admit(call.request).then((reply) => this.#answered(call, reply)));
    }
  }

  #answered(call: Call, reply: AdmitReply): void {
    if (reply.kind === "admitted") {
      this.admitted += 1;
      call.hold = reply.hold;
    }
    const ofNeurons =
      (reply.kind === "quota_reserved" && reply.againAtMs !== undefined) ||
      reply.kind === "account_quota_exceeded";
    const { tenant } = call;
    if (!ofNeurons || tenant.stores.ledger.closure() !== null) return;
    const floor = this.#floors.get(tenant.id) ?? 0;
    const bound = picturesOf(call.request) * ONE_PICTURE;
    const day = dayOf(tenant.wallMs);
    const used = this.#invariants.used(tenant, day);
    // Use beyond an engine's bound may come out of any tenant's floor.
    if (used + bound <= floor && this.#invariants.overruns() === 0) {
      this.#failure = new Error(`${tenant.id} was refused ${used} + ${bound} of its ${floor}`);
    }
    if (reply.kind !== "account_quota_exceeded") return;
    const left =
      reply.reason === undefined
        ? this.#invariants.unspent(day)
        : this.#invariants.reachable(tenant, day) - bound;
    const isGone = reply.reason === undefined ? left <= 0 : left < 0;
    if (!isGone) this.#failure = new Error(`${tenant.id} was refused for good, ${left} are left`);
  }

  #pictures(tenant: SimulatedTenant): number {
    const few = this.#random.integer(1, 3) * this.#scale;
    const most = Math.floor(this.#invariants.mostHeld(tenant) / ONE_PICTURE);
    switch (this.#manners.get(tenant.id)) {
      case "dear":
        return Math.max(1, most);
      case "erratic":
        return this.#drawn % 2 === 0 ? few : Math.max(1, most) + this.#random.integer(-1, 1);
      default:
        return few;
    }
  }

  #request(tenant: SimulatedTenant): ModerationAdmit {
    this.#drawn += 1;
    const number = String(this.#drawn).padStart(26, "0");
    const pictures = Math.max(1, this.#pictures(tenant));
    return {
      kind: "moderation",
      callId: `jnl_${number}`,
      requestId: `req_${number}`,
      route: "POST /v1/verdicts",
      caller: { kind: "platform" },
      userId: null,
      context: null,
      contents: [{ text: null, pictures }],
      verdictIds: [`vrd_${number}`],
      policy: { name: null, known: null },
      idempotency: null,
    };
  }

  /** The account restarts while tenants have permits, and is asked again near the end of the minute. */
  #forgetRates(): void {
    this.#account.restart();
    this.#nowMs += this.#random.pick([0, 300, 4_900, 54_000, 59_500, 61_200, 65_900]);
    for (let times = 0; times < 3; times += 1) this.#callSome(this.#random.integer(1, 4));
  }

  /** All calls in progress learn at once that the day is closed. */
  #closeToMany(): void {
    for (const call of this.#calls.filter(({ hold }) => hold !== null)) {
      this.#later(call.tenant.settle({ ...this.#settleRequest(call), account: "exhausted" }));
      call.hold = null;
    }
    this.#exchange();
  }

  /** Sets or removes the cap on the paid plan. */
  #cap(): void {
    if (this.#account.plan === "free") return;
    const cap = this.#isCapped ? null : this.#size / 1e6;
    // Its transaction has ended, or crashed, when this returns.
    this.#later(this.#account.pool.patch({ daily_cap_neurons: cap }));
    const wasCapped = this.#isCapped;
    this.#isCapped = this.#account.pool.read().settings.daily_cap_neurons !== null;
    if (wasCapped !== this.#isCapped) this.#invariants.capped(wasCapped ? null : this.#nowMs);
  }

  #settle(): void {
    const open = this.#calls.filter(({ hold }) => hold !== null);
    if (open.length === 0) return;
    const call = this.#random.pick(open);
    this.#later(call.tenant.settle(this.#settleRequest(call)));
    call.hold = null;
  }

  #settleRequest({ tenant, request, hold }: Call): SettleRequest {
    const random = this.#random;
    const overrun = microNeurons(random.chance(0.05) ? ONE_PICTURE : 0);
    const items = (hold?.stages ?? []).map((stage) => {
      const ran = this.#manners.get(tenant.id) !== "dear" && random.chance(0.8);
      return {
        ...heldItem(stage),
        model: ran ? stage.model : null,
        engine: ran ? "embedded" : null,
        microNeurons: ran ? stage.bound : microNeurons(0),
        overrun: ran ? overrun : microNeurons(0),
        basis: "counted" as const,
      };
    });
    const account = random.pick(["exhausted", "answered", ...MOSTLY_NOTHING] as const);
    return { callId: request.callId, items, verdicts: [], account, reply: null };
  }

  // Messages

  #send(ask: AccountMessage): Promise<AccountAnswer> {
    if (ask.lease !== null && ask.lease.need !== null) this.#note(ask.tenant, ask.lease.seq);
    if (this.#cutOff.has(ask.tenant)) return cutOff();
    return new Promise((resolve, reject) => {
      this.#mail.push({ ask: structuredClone(ask), answer: null, waits: { resolve, reject } });
    });
  }

  /** Checks that no tenant asks for neurons more often than it may. */
  #note(id: string, seq: number): void {
    const tenant = this.#node(id);
    const before = this.#questions.get(id);
    const { starts } = tenant;
    this.#questions.set(id, { starts, atMs: this.#nowMs, seq, wasRefused: false });
    if (before === undefined || before.starts !== starts) return;
    // If the answer could not be stored, the same message is sent again, without the longer pause.
    const wasStored = before.seq < seq;
    const leastMs = before.wasRefused && wasStored ? ASK_EVERY_REFUSED_MS : ASK_EVERY_MS;
    const afterMs = this.#nowMs - before.atMs;
    if (afterMs < leastMs) this.#failure = new Error(`${id} asks again after ${afterMs} ms`);
  }

  /** Delivers all messages, in order. */
  #exchange(): void {
    for (const mail of this.#mail.splice(0)) this.#arrive(mail);
    for (const mail of this.#mail.splice(0)) this.#arrive(mail);
  }

  #carry(): void {
    const mail = this.#taken();
    if (mail === null) return;
    // The message arrives a second time later, when nobody waits for it.
    if (this.#random.chance(0.15)) this.#mail.push({ ...mail, answer: null, waits: null });
    this.#arrive(mail);
  }

  #arrive({ ask, answer, waits }: Mail): void {
    if (answer !== null) {
      const question = this.#questions.get(ask.tenant);
      const isNew = waits !== null && answer.kind === "answered" && ask.lease?.need != null;
      if (question !== undefined && isNew) question.wasRefused = isRefused(answer);
      return waits?.resolve(answer);
    }
    const answered = this.#account.ask(ask);
    this.#later(
      answered.then(
        (given) => void this.#mail.push({ ask, waits, answer: given }),
        (error: unknown) => {
          waits?.reject(new Error("the account gave no answer"));
          throw error;
        },
      ),
    );
  }

  /** Sleeps by the clock of the world. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.push({ untilMs: this.#nowMs + ms, resolve });
    });
  }

  #wake(): void {
    const sleepers = this.#sleepers;
    this.#sleepers = sleepers.filter(({ untilMs }) => untilMs > this.#nowMs);
    for (const { untilMs, resolve } of sleepers) if (untilMs <= this.#nowMs) resolve();
  }

  /** The sender gives up. The message may still arrive. */
  #lose(): void {
    const mail = this.#taken();
    if (mail === null) return;
    mail.waits?.reject(new Error("lost"));
    if (mail.answer === null && this.#random.chance(0.5)) {
      this.#mail.push({ ...mail, waits: null });
    }
  }

  #taken(): Mail | null {
    if (this.#mail.length === 0) return null;
    return this.#mail.splice(this.#random.integer(0, this.#mail.length - 1), 1)[0] ?? null;
  }

  #cutOrHeal(id: string): void {
    if (!this.#cutOff.delete(id)) this.#cutOff.add(id);
  }

  #tenant(id: string): PoolTenant {
    return this.#cutOff.has(id) ? UNREACHABLE : this.#node(id);
  }

  #node(id: string): SimulatedTenant {
    const tenant = this.#tenants.find((each) => each.id === id);
    if (tenant === undefined) throw new Error(`there is no ${id}`);
    return tenant;
  }

  /** Runs work in the background. Only a crash may cut it off. */
  #later(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#excuse(error));
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#excuse(error);
    }
  }

  #excuse(error: unknown): void {
    if (isCrash(error)) return;
    this.#failure = error as Error;
  }
}

const picturesOf = ({ contents }: ModerationAdmit): number =>
  contents.reduce((sum, { pictures }) => sum + pictures, 0);

const isRefused = ({ lease }: Extract<AccountAnswer, { kind: "answered" }>): boolean =>
  lease !== null && "refused" in lease && lease.refused !== null;

/** The manners of the three tenants in a history with hostile ones. */
const MANNERS: readonly Manner[] = ["honest", "dear", "erratic"];

const cutOff = (): Promise<never> => Promise.reject(new Error("cut off"));
const UNREACHABLE: PoolTenant = { applyAccountView: cutOff, giveBack: cutOff };

/** Waits that end every hold, lease and pause. */
const QUIET = Array.from({ length: 4 }, () => 400_000);

const MOSTLY_NOTHING = Array.from({ length: 30 }, () => null);

const ACTS = [
  ...(["call", "call", "call", "call", "call", "call", "settle", "settle", "settle"] as const),
  ...(["carry", "carry", "carry", "carry", "carry", "exchange", "exchange", "exchange"] as const),
  ...(["lose", "tick", "tick", "tick", "wait", "tend", "alarm"] as const),
  ...(["cut_off", "reopen", "crash", "close_to_many", "cap", "forget_rates"] as const),
] as const;
