import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  heldOf,
  limitInForce,
  refusalOf,
  type AdmissionState,
} from "../../../src/domain/ledger/admission.ts";
import {
  claimOf,
  type Grant,
  grantRoom,
  isOpenAt,
  openAt,
  serves,
  serving,
  type Drawn,
  NOTHING_DRAWN,
  posted,
  type QuotaTerms,
} from "../../../src/domain/ledger/quota.ts";
import {
  charged,
  drawnAfter,
  expire,
  type Hold,
  type JournalLine,
  makeHold,
  post,
  type SettleTerms,
} from "../../../src/domain/ledger/ledger.ts";
import { microNeurons, plus, sum, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Day, dayOf, endOf } from "../../../src/domain/ledger/period.ts";
import { itemOf, stageOf } from "./ledger-fixtures.ts";

// Random histories around midnights, with grants that come, expire and are ended while calls are in
// progress that counted on them. The terms do not change, so what they promise must hold of each
// day as a whole: no more than the quota is included, no more than the cap is overage.

const START = Date.UTC(2026, 10, 20, 23, 59, 40);
const DEADLINE_MS = 90_000;

type Step =
  | { readonly do: "admit"; readonly bound: number }
  | { readonly do: "settle"; readonly pick: number; readonly used: number }
  | { readonly do: "wait"; readonly ms: number }
  /** On to twenty seconds before the next midnight. */
  | { readonly do: "evening" }
  | { readonly do: "grant"; readonly amount: number; readonly forMs: number }
  | { readonly do: "end"; readonly pick: number };

const pick = fc.nat(20);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("admit" as const), bound: fc.nat(90) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("settle" as const), pick, used: fc.nat(90) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(1, 1, 10_000, 20_000, 20_000, 45_000, 90_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("grant" as const),
      amount: fc.integer({ min: 1, max: 200 }),
      forMs: fc.constantFrom(1000, 30_000, 120_000, 90_000_000, 500_000_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("end" as const), pick }) },
  { weight: 1, arbitrary: fc.constant({ do: "evening" as const }) },
);

const anyTerms = fc
  .record({
    plan: fc.constantFrom("free" as const, "paid" as const),
    daily: fc.constantFrom(0, 30, 100, 250),
    cap: fc.constantFrom(0, 40, 150),
  })
  .map(({ plan, daily, cap }): QuotaTerms => ({
    plan,
    daily: microNeurons(daily),
    overageCap: microNeurons(cap),
    overageUsdPer1000: "0.011",
  }));

class Walk {
  readonly #terms: QuotaTerms;
  #nowMs = START;
  readonly #open = new Map<string, Hold>();
  readonly #drawn = new Map<Day, Drawn>();
  readonly grants = new Map<string, Grant>();
  readonly lines: JournalLine[] = [];
  #ids = 0;

  constructor(terms: QuotaTerms) {
    this.#terms = terms;
  }

  take(step: Step): void {
    for (const hold of this.#open.values()) {
      if (hold.deadlineMs <= this.#nowMs) this.#finish(expire(hold, this.#at(hold)));
    }
    switch (step.do) {
      case "wait":
        this.#nowMs += step.ms;
        break;
      case "evening":
        this.#nowMs = endOf(dayOf(this.#nowMs + 20_000)) - 20_000;
        break;
      case "admit":
        this.#admit(step.bound);
        break;
      case "settle": {
        const hold = [...this.#open.values()][step.pick % Math.max(1, this.#open.size)];
        if (hold !== undefined) {
          this.#finish(post(hold, [itemOf(step.used)], null, this.#at(hold)));
        }
        break;
      }
      case "grant":
        this.#grant(step.amount, step.forMs);
        break;
      case "end": {
        const grant = [...this.grants.values()][step.pick % Math.max(1, this.grants.size)];
        if (grant !== undefined && isOpenAt(grant, this.#nowMs)) {
          this.grants.set(grant.id, { ...grant, endedAtMs: this.#nowMs });
        }
      }
    }
    this.#check();
  }

  #grant(amount: number, forMs: number): void {
    const id = `grt_${String((this.#ids += 1)).padStart(4, "0")}`;
    this.grants.set(id, {
      id,
      amount: microNeurons(amount),
      drawn: ZERO,
      reason: "given",
      createdAtMs: this.#nowMs,
      expiresAtMs: this.#nowMs + forMs,
      endedAtMs: null,
    });
  }

  #admit(bound: number): void {
    const demand = { bound: microNeurons(bound), units: {} };
    if (refusalOf(this.#standing(), demand) !== null) return;
    const id = `jnl_${(this.#ids += 1)}`;
    const hold = makeHold({
      callId: id,
      requestId: "req",
      route: "POST /v1/verdicts",
      keyId: null,
      userId: null,
      day: dayOf(this.#nowMs),
      admittedAtMs: this.#nowMs,
      deadlineMs: this.#nowMs + DEADLINE_MS,
      priceBook: "2026-09",
      stages: [stageOf(bound)],
    });
    this.#open.set(id, hold);
    const after = this.#standing();
    const limit = limitInForce(after);
    expect(plus(after.posted, heldOf(after))).toBeLessThanOrEqual(limit ?? Infinity);
  }

  #standing(): AdmissionState {
    const day = dayOf(this.#nowMs);
    const drawn = this.#drawn.get(day) ?? NOTHING_DRAWN;
    const open = openAt(this.grants.values(), this.#nowMs);
    return {
      nowMs: this.#nowMs,
      terms: this.#terms,
      posted: posted(drawn),
      pending: this.#pending(day),
      grants: grantRoom(drawn.granted, open, () => this.#claim(day)),
      windows: {},
      rateLimit: () => 0,
      inFlight: 0,
      maxInFlight: 1,
      accountClosed: false,
    };
  }

  #pending(day: Day) {
    return sum([...this.#open.values()].filter((hold) => hold.day === day).map((h) => h.held));
  }

  #claim(before: Day) {
    const days = new Set([...this.#open.values()].map(({ day }) => day).filter((d) => d < before));
    const inUse = [...days].map((day) => ({
      quota: (this.#drawn.get(day) ?? NOTHING_DRAWN).quota,
      pending: this.#pending(day),
    }));
    return claimOf(this.#terms, inUse);
  }

  #at(hold: Hold): SettleTerms {
    return {
      terms: this.#terms,
      drawn: this.#drawn.get(hold.day) ?? NOTHING_DRAWN,
      grants: {
        grants: serving(this.grants.values(), hold.admittedAtMs),
        claim: this.#claim(hold.day),
      },
      nowMs: this.#nowMs,
    };
  }

  #finish(line: JournalLine): void {
    this.#open.delete(line.callId);
    this.#drawn.set(line.day, drawnAfter(this.#drawn.get(line.day) ?? NOTHING_DRAWN, line));
    for (const { grantId, microNeurons: amount } of line.grants) {
      const grant = this.grants.get(grantId);
      if (grant === undefined) throw new Error("draws on a grant that is not there");
      expect(serves(grant, line.admittedAtMs)).toBe(true);
      this.grants.set(grantId, { ...grant, drawn: plus(grant.drawn, amount) });
    }
    this.lines.push(line);
  }

  #check(): void {
    const { plan, daily, overageCap } = this.#terms;
    for (const drawn of this.#drawn.values()) {
      expect(drawn.quota).toBeLessThanOrEqual(daily);
      const most = overageCap === "unlimited" ? Infinity : overageCap;
      expect(drawn.overage).toBeLessThanOrEqual(plan === "free" ? 0 : most);
    }
    for (const grant of this.grants.values()) {
      expect(grant.drawn).toBeLessThanOrEqual(grant.amount);
      const draws = this.lines.flatMap(({ grants }) => grants);
      const own = draws.filter(({ grantId }) => grantId === grant.id);
      expect(grant.drawn).toBe(sum(own.map((draw) => draw.microNeurons)));
    }
    for (const line of this.lines) {
      expect(sum(line.grants.map((draw) => draw.microNeurons))).toBe(line.drawn.granted);
      expect(charged(line)).toBe(sum(line.items.map((item) => item.microNeurons)));
    }
  }
}

describe("any history with grants, under terms that stay", () => {
  it("includes no more than the quota and owes no more than the cap, of each day", () => {
    const seen = { lines: 0, granted: 0, overage: 0, ofTwo: 0, late: 0 };
    fc.assert(
      fc.property(anyTerms, fc.array(anyStep, { maxLength: 60, size: "max" }), (terms, steps) => {
        const walk = new Walk(terms);
        for (const step of steps) walk.take(step);
        seen.lines += walk.lines.length;
        for (const line of walk.lines) {
          if (line.drawn.granted > 0) seen.granted += 1;
          if (line.drawn.overage > 0) seen.overage += 1;
          if (line.grants.length > 1) seen.ofTwo += 1;
          const used = line.grants.map(({ grantId }) => walk.grants.get(grantId));
          if (used.some((grant) => grant !== undefined && !isOpenAt(grant, line.settledAtMs))) {
            seen.late += 1;
          }
        }
      }),
      { numRuns: 2000, seed: 20_777 },
    );
    // The walks went everywhere: also to grants that ended while a call counted on them.
    for (const times of Object.values(seen)) {
      expect(times, JSON.stringify(seen)).toBeGreaterThan(20);
    }
  });
});
