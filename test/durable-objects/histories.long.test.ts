import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import * as fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import type { Caller } from "../../durable-objects/tenant/protocol.ts";
import type { Hold, JournalLine } from "../../src/domain/ledger/ledger.ts";
import { dayOf, startOf } from "../../src/domain/ledger/period.ts";
import type { Plan } from "../../src/domain/ledger/quota.ts";
import type { Settings } from "../../src/domain/tenant/settings.ts";
import {
  aKey,
  aNewKey,
  admitRequest,
  amountOf,
  aTenant,
  type ATenant,
  broken,
  cleanUp,
  expectKind,
  itemsOf,
  NOW,
  PICTURE,
  PLATFORM,
  pictures,
  stopClock,
  TEXT,
  voidItemsOf,
} from "./a-tenant.ts";

// Random histories of one tenant, through its object, with a small model beside it. The model says
// what each call is answered; after every step the invariants of the design are looked at.

afterEach(cleanUp);

const RUNS = 25;
const STEPS = 40;
const SEED = 20_261_120;

interface Terms {
  readonly plan: Plan;
  /** µN. */
  readonly daily: number;
  readonly cap: number | null;
  readonly rate: string;
  readonly requests: number;
  readonly images: number;
  readonly inFlight: number;
}

type Command =
  | { readonly do: "admit"; readonly pictures: number }
  | { readonly do: "settle"; readonly which: number; readonly each: number | null }
  | { readonly do: "void" | "admit_again" | "settle_again"; readonly which: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "configure"; readonly terms: Terms }
  | { readonly do: "rotate_key" | "evict" | "alarm" | "next_day" };

const which = fc.nat({ max: 1000 });

const terms: fc.Arbitrary<Terms> = fc.record({
  plan: fc.constantFrom("free", "paid"),
  daily: fc.constantFrom(0, 2 * PICTURE, 5 * PICTURE + 9_000_000, 1_000_000_000),
  cap: fc.constantFrom(null, 0, 3 * PICTURE),
  rate: fc.constantFrom("0.011", "0.5", "0.000000001"),
  requests: fc.constantFrom(2, 5, 1000),
  images: fc.constantFrom(2, 8, 1000),
  inFlight: fc.constantFrom(1, 3, 1000),
});

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("admit"), pictures: fc.nat({ max: 3 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("settle"),
      which,
      each: fc.constantFrom(null, 0, 1, 1000, PICTURE),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("void", "admit_again", "settle_again"), which }),
  },
  // Clocks of a network go back, too.
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("wait"),
      ms: fc.constantFrom(-20_000, 1, 777, 30_000, 60_999, 90_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("configure"), terms }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("rotate_key", "evict", "alarm", "next_day") }),
  },
) as fc.Arbitrary<Command>;

/** What one call takes of each class, and of the day. */
interface Demand {
  readonly bound: number;
  readonly units: Readonly<Record<string, number>>;
}

const CLASS_LIMITS: Readonly<Record<string, number>> = {
  text_generation: 300,
  text_classification: 2000,
};

class Model {
  terms: Terms;
  /** The object's clock, and what of it is stored. */
  clockMs = NOW;
  storedMs = 0;
  readonly open = new Map<string, Hold>();
  readonly ended = new Map<string, Hold>();
  readonly posted = new Map<number, number>();
  readonly admissions: { readonly atMs: number; readonly units: Demand["units"] }[] = [];
  /** Lines as they were first seen. */
  readonly lines = new Map<string, JournalLine>();

  constructor(first: Terms) {
    this.terms = first;
  }

  /** A step begins: time goes on, and what is overdue is charged. */
  begin(): void {
    this.clockMs = Math.max(this.clockMs, Date.now());
    for (const hold of this.open.values()) {
      if (hold.deadlineMs <= this.clockMs) this.end(hold, hold.held);
    }
  }

  evict(): void {
    this.clockMs = this.storedMs;
  }

  get limit(): number | null {
    const { plan, daily, cap } = this.terms;
    if (plan === "free") return daily;
    return cap === null ? null : daily + cap;
  }

  rateLimit(name: string): number {
    if (name === "requests") return this.terms.requests;
    return name === "image_classification" ? this.terms.images : (CLASS_LIMITS[name] ?? 0);
  }

  pendingOf(day: number): number {
    return [...this.open.values()].reduce((sum, h) => sum + (h.day === day ? h.held : 0), 0);
  }

  postedOf(day: number): number {
    return this.posted.get(day) ?? 0;
  }

  /** Units of the 61 seconds up to now. */
  used(name: string): number {
    const from = Math.floor(this.clockMs / 1000) - 60;
    return this.admissions
      .filter(({ atMs }) => Math.floor(atMs / 1000) >= from)
      .reduce((sum, { units }) => sum + (units[name] ?? 0), 0);
  }

  answer({ bound, units }: Demand): string {
    const { limit } = this;
    const day = dayOf(this.clockMs);
    const classes = Object.entries(units);
    if (limit !== null && bound > limit) return "over_limit";
    if (classes.some(([name, needed]) => needed > this.rateLimit(name))) return "over_limit";
    if (limit !== null && this.postedOf(day) + bound > limit) {
      return this.terms.plan === "free" ? "quota_exceeded" : "overage_cap_exceeded";
    }
    const full = classes.some(([name, n]) => this.used(name) + n > this.rateLimit(name));
    if (full) return "rate_limited";
    const taken = this.postedOf(day) + this.pendingOf(day);
    if (limit !== null && taken + bound > limit) return "quota_reserved";
    return this.open.size >= this.terms.inFlight ? "concurrency_exceeded" : "admitted";
  }

  admit(hold: Hold, { units }: Demand): void {
    this.open.set(hold.callId, hold);
    this.admissions.push({ atMs: this.clockMs, units });
    this.storedMs = this.clockMs;
    for (const [name] of Object.entries(units)) {
      const inWindow = this.admissions
        .filter(({ atMs }) => atMs > this.clockMs - 60_000)
        .reduce((sum, admission) => sum + (admission.units[name] ?? 0), 0);
      expect(inWindow).toBeLessThanOrEqual(this.rateLimit(name));
    }
    const total = this.postedOf(hold.day) + this.pendingOf(hold.day);
    expect(total).toBeLessThanOrEqual(this.limit ?? Number.MAX_SAFE_INTEGER);
  }

  end(hold: Hold, amount: number): void {
    this.open.delete(hold.callId);
    this.ended.set(hold.callId, hold);
    this.posted.set(hold.day, this.postedOf(hold.day) + amount);
  }
}

const FIRST: Terms = {
  plan: "free",
  daily: 20_000_000,
  cap: null,
  rate: "0.011",
  requests: 10,
  images: 12,
  inFlight: 4,
};

const capOf = ({ plan, cap }: Terms): Settings["overage_cap_neurons"] => {
  if (plan === "free") return null;
  return cap === null ? "unlimited" : cap / 1e6;
};

const settingsFrom = (now: Terms): Parameters<ATenant["configure"]>[0] => ({
  plan: now.plan,
  daily_neurons: now.daily / 1e6,
  overage_cap_neurons: capOf(now),
  overage_usd_per_1000_neurons: now.rate,
  rpm: { requests: now.requests, image_classification: now.images },
  max_in_flight: now.inFlight,
});

/** A tenant with its model, moved by commands. */
class History {
  readonly tenant: ATenant;
  readonly model: Model;
  key: Caller;
  keyId: string;
  readonly #textBound: number;

  constructor(tenant: ATenant, key: Caller, keyId: string, textBound: number) {
    this.tenant = tenant;
    this.key = key;
    this.keyId = keyId;
    this.model = new Model(FIRST);
    this.#textBound = textBound;
  }

  async run(next: Command): Promise<void> {
    const { model, tenant } = this;
    switch (next.do) {
      case "admit":
        return this.#admit(next.pictures);
      case "settle":
        return this.#settle(pick(model.open, next.which), (hold) => itemsOf(hold, next.each));
      case "void":
        return this.#settle(pick(model.open, next.which), voidItemsOf);
      case "settle_again":
        return this.#settle(pick(model.ended, next.which), (hold) => itemsOf(hold, 3));
      case "admit_again":
        return this.#admitAgain(pick(model.open, next.which), pick(model.ended, next.which));
      case "wait":
        vi.setSystemTime(Date.now() + next.ms);
        return;
      case "next_day":
        vi.setSystemTime(startOf(dayOf(Date.now()) + 1) + 5);
        return;
      case "configure":
        model.begin();
        await tenant.configure(settingsFrom(next.terms));
        model.terms = next.terms;
        return;
      case "rotate_key":
        return this.#rotateKey();
      case "evict":
        await evictDurableObject(env.TENANT.getByName(tenant.id));
        model.evict();
        return;
      case "alarm":
        if (await runDurableObjectAlarm(env.TENANT.getByName(tenant.id))) model.begin();
        return;
    }
  }

  async #admit(count: number): Promise<void> {
    const { model, tenant } = this;
    const demand: Demand =
      count === 0
        ? {
            bound: this.#textBound,
            units: { requests: 1, text_classification: 1, text_generation: 1 },
          }
        : { bound: count * PICTURE, units: { requests: 1, image_classification: count } };
    model.begin();
    const expected = model.answer(demand);
    const contents = [count === 0 ? TEXT : pictures(count)];
    const reply = await tenant.stub().admit(admitRequest({ caller: this.key, contents }));
    expect(reply.kind).toBe(expected);
    if (reply.kind !== "admitted") return;
    expect(reply.hold).toMatchObject({ held: demand.bound, admittedAtMs: model.clockMs });
    model.admit(reply.hold, demand);
  }

  async #settle(
    hold: Hold | null,
    items: (hold: Hold) => ReturnType<typeof itemsOf>,
  ): Promise<void> {
    if (hold === null) return;
    const { model, tenant } = this;
    model.begin();
    const settled = await tenant.settle(hold, { items: items(hold) });
    const { settlement } = settled;
    if (model.open.has(hold.callId)) {
      const { line } = expectKind(settlement, "settled");
      expect(amountOf(line)).toBeLessThanOrEqual(hold.held);
      model.end(hold, amountOf(line));
    } else {
      expect(["already_settled", "settled_late"]).toContain(settlement.kind);
    }
  }

  async #admitAgain(open: Hold | null, ended: Hold | null): Promise<void> {
    const { model, tenant } = this;
    model.begin();
    for (const hold of [open, ended]) {
      if (hold === null) continue;
      const request = admitRequest({ caller: this.key, callId: hold.callId });
      // oxlint-disable-next-line no-await-in-loop -- at most two
      const reply = await tenant.stub().admit(request);
      if (model.open.has(hold.callId)) expect(expectKind(reply, "admitted").hold).toEqual(hold);
      else expect(reply.kind).toBe("unavailable");
    }
  }

  async #rotateKey(): Promise<void> {
    const { model, tenant } = this;
    model.begin();
    const newKey = aNewKey();
    const rotated = await tenant.stub().rotateKey(PLATFORM, {
      route: "rotate",
      id: this.keyId,
      newKey,
      overlapMs: 0,
      idempotency: null,
    });
    expectKind(rotated, "issued");
    expect((await tenant.admit({ caller: this.key })).kind).toBe("invalid_key");
    this.key = { kind: "key", secretHash: newKey.secretHash, roles: ["call"] };
    this.keyId = newKey.id;
  }

  async check(): Promise<void> {
    const { model, tenant } = this;
    model.begin();
    const [limits, lines, invariants, periods] = await Promise.all([
      tenant.limits(),
      tenant.lines(),
      broken(tenant.id),
      tenant.stub().listPeriods(PLATFORM, 0, 100_000),
    ]);
    const day = dayOf(model.clockMs);
    expect(limits).toMatchObject({
      nowMs: model.clockMs,
      neurons: { limit: model.limit, posted: model.postedOf(day), pending: model.pendingOf(day) },
      inFlight: { used: model.open.size },
    });
    expect(invariants).toEqual([]);
    // Every call that ended has one line, and no other has any.
    expect(lines.map(({ callId }) => callId).toSorted()).toEqual(
      [...model.ended.keys()].toSorted(),
    );
    for (const line of lines) {
      // A late settle names the verdict of an expired line; nothing else changes.
      const before = model.lines.get(line.callId);
      if (before !== undefined) expect({ ...line, verdictId: before.verdictId }).toEqual(before);
      if (line.outcome !== "expired" && before !== undefined) expect(line).toEqual(before);
      expect(line.items.reduce((sum, item) => sum + item.microNeurons, 0)).toBe(amountOf(line));
      model.lines.set(line.callId, line);
    }
    const sums = new Map<number, number>();
    for (const line of lines) sums.set(line.day, (sums.get(line.day) ?? 0) + amountOf(line));
    expect(sums).toEqual(new Map([...model.posted].toSorted(([a], [b]) => a - b)));
    for (const { day: of, drawn } of expectKind(periods, "periods").periods) {
      expect(drawn.quota + drawn.granted + drawn.overage).toBe(sums.get(of) ?? 0);
    }
  }
}

const pick = (holds: ReadonlyMap<string, Hold>, at: number): Hold | null =>
  [...holds.values()][at % Math.max(1, holds.size)] ?? null;

it("keeps every invariant in any history", { timeout: 300_000 }, async () => {
  stopClock();
  const { held: textBound } = await (await aTenant()).hold({ contents: [TEXT] });
  const commands = fc.array(command, { minLength: STEPS, maxLength: STEPS });
  await fc.assert(
    fc.asyncProperty(commands, async (history) => {
      // The account's object goes by one clock: a history begins with none that saw another.
      await cleanUp();
      stopClock();
      const tenant = await aTenant(settingsFrom(FIRST));
      const newKey = aNewKey();
      const key = await aKey(tenant.id, "call", { newKey });
      const run = new History(tenant, key, newKey.id, textBound);
      for (const next of history) {
        // oxlint-disable-next-line no-await-in-loop -- a history has an order
        await run.run(next);
        // oxlint-disable-next-line no-await-in-loop -- after every step
        await run.check();
      }
    }),
    { numRuns: RUNS, seed: SEED },
  );
});
