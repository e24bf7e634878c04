import type { PoolTenant } from "../durable-objects/account/pool/pool.ts";
import type { AdmitReply } from "../durable-objects/tenant/protocol.ts";
import { heldItem } from "../src/domain/ledger/ledger.ts";
import { microNeurons } from "../src/domain/ledger/micro-neurons.ts";
import { dayOf } from "../src/domain/ledger/period.ts";
import { promisedBy, withDefaults } from "../src/domain/tenant/settings.ts";
import { CRASHES } from "./crashing-database.ts";
import { type Call, picturesOf, PoolCalls } from "./pool-calls.ts";
import { PoolClock } from "./pool-clock.ts";
import { PoolInvariants } from "./pool-invariants.ts";
import { cutOff, PoolMail } from "./pool-mail.ts";
import { NAMES, type PoolStage } from "./pool-stage.ts";
import { SimulatedTenant } from "./pool-tenant.ts";
import type { Random } from "./random.ts";
import { SimulatedAccount } from "./simulated-account.ts";
import { ONE_PICTURE } from "./simulated-tenant.ts";
import { isCrash } from "./tenant-process.ts";

// Three tenants of one account. Each object is a process of its own with a database and a clock. Messages
// between them may be late, lost, repeated or out of order. Some tenants cannot reach the account for a
// while, and any process may crash at a commit.

const IMAGES = "image_classification";

export class PoolWorld {
  readonly #random: Random;
  readonly #account: SimulatedAccount;
  readonly #tenants: readonly SimulatedTenant[];
  readonly #invariants: PoolInvariants;
  readonly #floors = new Map<string, number>();
  readonly #clock = new PoolClock();
  readonly #mail: PoolMail;
  readonly #draw: PoolCalls;
  /** The pool in µN a day, while there is a cap. */
  readonly #size: number;
  #isCapped: boolean;
  #calls: Call[] = [];
  #failure: Error | null = null;
  /** Calls that were admitted. */
  admitted = 0;
  readonly log: string[] = [];

  constructor(random: Random, stage: PoolStage) {
    this.#random = random;
    const nowMs = () => this.#clock.nowMs;
    const sleep = (ms: number) => this.#clock.sleep(ms);
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
          send: (ask) => this.#mail.send(ask),
          plan,
        }),
    );
    this.#mail = new PoolMail({
      random,
      nowMs,
      starts: (id) => this.#node(id).starts,
      ask: (message) => this.#account.ask(message),
      later: (work) => this.#later(work),
      fail: (error) => void (this.#failure = error),
    });
    // Either few pictures a call, with permits call by call, or many pictures, with permits in chunks.
    const isSmall = random.chance(0.6);
    const scale = isSmall ? 1 : 40;
    const size = random.integer(12, 40) * ONE_PICTURE * scale;
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
    const mostHeld = (one: SimulatedTenant) => this.#invariants.mostHeld(one);
    this.#draw = new PoolCalls(random, scale, mostHeld);
    this.#draw.giveManners(this.#tenants);
    const terms = { size, rate, rateClass: IMAGES, holdShare, unspentShare, floors: this.#floors };
    this.#invariants = new PoolInvariants(this.#account, this.#tenants, terms);
  }

  async step(): Promise<void> {
    const random = this.#random;
    if (random.chance(0.12)) {
      const node = random.pick([this.#account, ...this.#tenants]);
      node.db.crashNext(random.pick(CRASHES));
    }
    const act = random.pick(ACTS);
    this.log.push(`${this.#clock.nowMs}: ${act}`);
    this.#guarded(() => this.#perform(act));
    await this.#checked();
  }

  /** Delivers all messages, ends every hold, and rings the alarms until there is nothing left to do. */
  async rest(): Promise<void> {
    this.#mail.healAll();
    for (const db of [this.#account.db, ...this.#tenants.map((tenant) => tenant.db)]) {
      db.crashNext("none");
    }
    // First let calls end that wait for their turn to ask.
    for (let second = 0; second < 60; second += 1) {
      this.#clock.nowMs += 1000;
      this.#mail.exchange();
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
      this.#clock.nowMs += waitMs;
      for (const tenant of this.#tenants) this.#later(tenant.alarm());
      this.#later(this.#account.alarm());
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.#delivered();
    }
  }

  async #delivered(): Promise<void> {
    for (let mail = 0; mail < 12; mail += 1) {
      this.#mail.exchange();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.#checked();
    }
  }

  /** A tenant that does not know that the day is closed learns it with its next call. Only one probe runs. */
  async #hearOfClosedDay(): Promise<void> {
    if (!this.#invariants.isClosed()) return;
    let admitted = 0;
    for (const tenant of this.#tenants) {
      const call = this.#draw.next(tenant);
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
    this.#clock.wake();
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
        return this.#mail.carry();
      case "exchange":
        return this.#mail.exchange();
      case "lose":
        return this.#mail.lose();
      case "tick":
        return void (this.#clock.nowMs += random.integer(1, 3000));
      case "wait":
        return void (this.#clock.nowMs += random.integer(20_000, 100_000));
      case "tend":
        return this.#later(random.pick(this.#tenants).alarm());
      case "alarm":
        return this.#later(this.#account.alarm());
      case "cut_off":
        return this.#mail.cutOrHeal(random.pick(this.#tenants).id);
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
      const call = this.#draw.next(tenant);
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

  /** The account restarts while tenants have permits, and is asked again near the end of the minute. */
  #forgetRates(): void {
    this.#account.restart();
    this.#clock.nowMs += this.#random.pick([0, 300, 4_900, 54_000, 59_500, 61_200, 65_900]);
    for (let times = 0; times < 3; times += 1) this.#callSome(this.#random.integer(1, 4));
  }

  /** All calls in progress learn at once that the day is closed. */
  #closeToMany(): void {
    for (const call of this.#calls.filter(({ hold }) => hold !== null)) {
      this.#later(call.tenant.settle({ ...this.#draw.settleRequest(call), account: "exhausted" }));
      call.hold = null;
    }
    this.#mail.exchange();
  }

  /** Sets or removes the cap on the paid plan. */
  #cap(): void {
    if (this.#account.plan === "free") return;
    const cap = this.#isCapped ? null : this.#size / 1e6;
    // Its transaction has ended, or crashed, when this returns.
    this.#later(this.#account.pool.patch({ daily_cap_neurons: cap }));
    const wasCapped = this.#isCapped;
    this.#isCapped = this.#account.pool.read().settings.daily_cap_neurons !== null;
    if (wasCapped !== this.#isCapped) this.#invariants.capped(wasCapped ? null : this.#clock.nowMs);
  }

  #settle(): void {
    const open = this.#calls.filter(({ hold }) => hold !== null);
    if (open.length === 0) return;
    const call = this.#random.pick(open);
    this.#later(call.tenant.settle(this.#draw.settleRequest(call)));
    call.hold = null;
  }

  #tenant(id: string): PoolTenant {
    return this.#mail.isCutOff(id) ? UNREACHABLE : this.#node(id);
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

const UNREACHABLE: PoolTenant = { applyAccountView: cutOff, giveBack: cutOff };

/** Waits that end every hold, lease and pause. */
const QUIET = Array.from({ length: 4 }, () => 400_000);

const ACTS = [
  ...(["call", "call", "call", "call", "call", "call", "settle", "settle", "settle"] as const),
  ...(["carry", "carry", "carry", "carry", "carry", "exchange", "exchange", "exchange"] as const),
  ...(["lose", "tick", "tick", "tick", "wait", "tend", "alarm"] as const),
  ...(["cut_off", "reopen", "crash", "close_to_many", "cap", "forget_rates"] as const),
] as const;
