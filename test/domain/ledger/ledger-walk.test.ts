import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refusalOf, type AdmissionState } from "../../../src/domain/ledger/admission.ts";
import { addLine, type DayTotals, NO_TOTALS } from "../../../src/domain/ledger/day-totals.ts";
import {
  type CallId,
  charged,
  drawnAfter,
  expire,
  type Hold,
  type Item,
  type JournalLine,
  makeHold,
  post,
} from "../../../src/domain/ledger/ledger.ts";
import { microNeurons, sum } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Day, dayOf } from "../../../src/domain/ledger/period.ts";
import { rateUnits } from "../../../src/domain/moderation/stage.ts";
import {
  type Drawn,
  limitOf,
  NOTHING_DRAWN,
  posted,
  type QuotaTerms,
} from "../../../src/domain/ledger/quota.ts";
import { count, type Windows } from "../../../src/domain/ledger/rate-limit.ts";
import { itemOf, stageOf, unasked } from "./ledger-fixtures.ts";

// Random histories of a tenant, through the same functions as the tenant's object, beside a model
// that keeps nothing but the list of what happened. After each step all invariants of the design
// (1 to 4) are read off that list.

const DEADLINE_MS = 90_000;
const RATES: Readonly<Record<string, number>> = { requests: 6, text_generation: 9 };

type Step =
  | { readonly do: "admit"; readonly bounds: readonly number[]; readonly calls: number }
  | { readonly do: "settle"; readonly pick: number; readonly used: readonly number[] }
  | { readonly do: "void" | "repeat"; readonly pick: number }
  | { readonly do: "clock"; readonly byMs: number }
  | { readonly do: "terms"; readonly terms: QuotaTerms };

const amount = fc.nat(120);
const pick = fc.nat(30);
const anyTerms = fc
  .record({
    plan: fc.constantFrom("free" as const, "paid" as const),
    daily: fc.constantFrom(0, 150, 300, 301, 600),
    cap: fc.option(fc.constantFrom(0, 50, 200), { nil: null }),
    overageUsdPer1000: fc.constantFrom("0.011", "0.02"),
  })
  .map(({ plan, daily, cap, overageUsdPer1000 }): QuotaTerms => ({
    plan,
    daily: microNeurons(daily),
    overageCap: cap === null ? "unlimited" : microNeurons(cap),
    overageUsdPer1000,
  }));
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("admit" as const),
      bounds: fc.array(amount, { maxLength: 3 }),
      calls: fc.constantFrom(1, 1, 1, 2),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      pick,
      // Up to five items, so also more, and dearer ones, than were held for.
      used: fc.array(amount, { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom("void" as const, "repeat" as const), pick }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("clock" as const),
      byMs: fc.constantFrom(
        0,
        1,
        400,
        999,
        7000,
        59_999,
        61_000,
        90_000,
        43_200_000,
        -1,
        -5000,
        -86_400_000,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("terms" as const), terms: anyTerms }) },
);

class Walk {
  #wallMs = Date.UTC(2026, 10, 20, 23, 57);
  #clockMs = 0;
  #terms: QuotaTerms;
  #windows: Windows = {};
  readonly #open = new Map<CallId, Hold>();
  readonly #drawn = new Map<Day, Drawn>();
  readonly #totals = new Map<Day, DayTotals>();

  /** The model: what happened, in order. */
  readonly admissions: { readonly hold: Hold; readonly atMs: number; readonly requests: number }[] =
    [];
  readonly lines: JournalLine[] = [];
  readonly #frozen: string[] = [];
  refused = 0;

  constructor(terms: QuotaTerms) {
    this.#terms = terms;
  }

  take(step: Step): void {
    const before = this.#clockMs;
    // The clock never goes back, and what is past its deadline has expired.
    this.#clockMs = Math.max(this.#wallMs, this.#clockMs);
    expect(this.#clockMs).toBeGreaterThanOrEqual(before);
    for (const hold of this.#open.values()) {
      if (hold.deadlineMs <= this.#clockMs) this.#finish(expire(hold, this.#at(hold)));
    }
    switch (step.do) {
      case "clock":
        this.#wallMs += step.byMs;
        break;
      case "terms":
        this.#terms = step.terms;
        break;
      case "admit":
        this.#admit(step.bounds, step.calls);
        break;
      case "settle":
        this.#settle(
          step.pick,
          step.used.map((used) => itemOf(used)),
        );
        break;
      case "void":
        this.#settle(step.pick, [unasked]);
        break;
      case "repeat": {
        const line = this.lines[step.pick % Math.max(1, this.lines.length)];
        // The object finds no open hold, so nothing can be posted twice.
        if (line !== undefined) expect(this.#open.has(line.callId)).toBe(false);
      }
    }
    this.#check();
  }

  #standing(): AdmissionState {
    const day = dayOf(this.#clockMs);
    const open = [...this.#open.values()].filter((hold) => hold.day === day);
    return {
      nowMs: this.#clockMs,
      terms: this.#terms,
      posted: posted(this.#drawn.get(day) ?? NOTHING_DRAWN),
      pending: sum(open.map(({ held }) => held)),
      windows: this.#windows,
      rateLimit: (name) => RATES[name] ?? 0,
      inFlight: this.#open.size,
      maxInFlight: 5,
      accountClosed: false,
    };
  }

  #admit(bounds: readonly number[], calls: number): void {
    const stages = bounds.map((bound) => stageOf(bound * calls, calls));
    const demand = { bound: sum(stages.map(({ bound }) => bound)), units: rateUnits(stages) };
    const standing = this.#standing();
    if (refusalOf(standing, demand) !== null) {
      this.refused += 1;
      return;
    }
    const hold = makeHold({
      callId: `jnl_${this.admissions.length}`,
      requestId: "req",
      route: "POST /v1/verdicts",
      keyId: null,
      userId: null,
      day: dayOf(standing.nowMs),
      admittedAtMs: standing.nowMs,
      deadlineMs: standing.nowMs + DEADLINE_MS,
      priceBook: "2026-09",
      stages,
    });
    this.#open.set(hold.callId, hold);
    this.#windows = count(this.#windows, demand.units, standing.nowMs);
    this.admissions.push({
      hold,
      atMs: standing.nowMs,
      requests: demand.units["text_generation"] ?? 0,
    });
    this.#expectWithinLimit();
  }

  #settle(at: number, items: readonly Item[]): void {
    const hold = [...this.#open.values()][at % Math.max(1, this.#open.size)];
    if (hold !== undefined) this.#finish(post(hold, items, null, this.#at(hold)));
  }

  #at(hold: Hold) {
    const drawn = this.#drawn.get(hold.day) ?? NOTHING_DRAWN;
    return { terms: this.#terms, drawn, nowMs: this.#clockMs };
  }

  #finish(line: JournalLine): void {
    this.#open.delete(line.callId);
    this.#drawn.set(line.day, drawnAfter(this.#drawn.get(line.day) ?? NOTHING_DRAWN, line));
    this.#totals.set(line.day, addLine(this.#totals.get(line.day) ?? NO_TOTALS, line));
    this.lines.push(line);
    this.#frozen.push(JSON.stringify(line));
    const paid = this.#terms.plan === "paid";
    if (!paid) expect(line.drawn.overage).toBe(0);
    expect(line.overageUsdPer1000).toBe(
      line.drawn.overage > 0 ? this.#terms.overageUsdPer1000 : null,
    );
  }

  /** Invariant 1, from the list: at an admission, under the limit then in force. */
  #expectWithinLimit(): void {
    const day = dayOf(this.#clockMs);
    const limit = limitOf(this.#terms);
    if (limit === null) return;
    const ended = new Set(this.lines.map(({ callId }) => callId));
    const pending = this.admissions
      .filter(({ hold }) => hold.day === day && !ended.has(hold.callId))
      .reduce((total, { hold }) => total + hold.held, 0);
    const spent = this.lines
      .filter((line) => line.day === day)
      .reduce((total, line) => total + charged(line), 0);
    expect(spent + pending).toBeLessThanOrEqual(limit);
  }

  #check(): void {
    this.#expectOneLineEach();
    this.#expectDaysAddUp();
    this.#expectRates();
    expect(this.lines.map((line) => JSON.stringify(line))).toEqual(this.#frozen);
  }

  /** Invariant 2: every admitted call is open or has exactly one line, never above its hold. */
  #expectOneLineEach(): void {
    const ended = this.lines.map(({ callId }) => callId);
    expect(new Set(ended).size).toBe(ended.length);
    expect([...ended, ...this.#open.keys()].toSorted()).toEqual(
      this.admissions.map(({ hold }) => hold.callId).toSorted(),
    );
    for (const line of this.lines) {
      expect(charged(line)).toBeLessThanOrEqual(line.held);
      expect(sum(line.items.map((item) => item.microNeurons))).toBe(charged(line));
      if (line.outcome === "expired") expect(charged(line)).toBe(line.held);
      if (line.outcome === "voided") expect(charged(line)).toBe(0);
    }
  }

  /** Invariant 3: a day's lines add up to its row, by what they were drawn on and by model. */
  #expectDaysAddUp(): void {
    for (const [day, drawn] of this.#drawn) {
      const lines = this.lines.filter((line) => line.day === day);
      const total = (of: (line: JournalLine) => number): number =>
        lines.reduce((all, line) => all + of(line), 0);
      expect(posted(drawn)).toBe(total(charged));
      expect(drawn.quota).toBe(total((line) => line.drawn.quota));
      const totals = this.#totals.get(day) ?? NO_TOTALS;
      expect(totals.calls).toBe(lines.length);
      expect(totals.overrun).toBe(total(({ overrun }) => overrun));
      const byModel = Object.values(totals.models).reduce((all, one) => all + one.microNeurons, 0);
      expect(byModel).toBe(posted(drawn));
      const byRate = Object.values(totals.overageByRate).reduce((all, one) => all + one, 0);
      expect(byRate).toBe(drawn.overage);
    }
  }

  /** Invariant 4: in no 60,000 ms that end at an admission are there more than the limit. */
  #expectRates(): void {
    const last = this.admissions.at(-1);
    if (last === undefined) return;
    const recent = this.admissions.filter(({ atMs }) => atMs > last.atMs - 60_000);
    expect(recent.length).toBeLessThanOrEqual(RATES["requests"] ?? 0);
    const units = recent.reduce((total, { requests }) => total + requests, 0);
    expect(units).toBeLessThanOrEqual(RATES["text_generation"] ?? 0);
  }
}

describe("any history of a tenant", () => {
  it("keeps the ledger's invariants after each step", () => {
    const seen = {
      admitted: 0,
      refused: 0,
      posted: 0,
      voided: 0,
      expired: 0,
      overage: 0,
      overrun: 0,
    };
    fc.assert(
      fc.property(anyTerms, fc.array(anyStep, { maxLength: 60, size: "max" }), (terms, steps) => {
        const walk = new Walk(terms);
        for (const step of steps) walk.take(step);
        seen.admitted += walk.admissions.length;
        seen.refused += walk.refused;
        for (const line of walk.lines) {
          seen[line.outcome] += 1;
          if (line.drawn.overage > 0) seen.overage += 1;
          if (line.overrun > 0) seen.overrun += 1;
        }
      }),
      { numRuns: 200, seed: 20_777 },
    );
    // The walks went everywhere.
    for (const times of Object.values(seen))
      expect(times, JSON.stringify(seen)).toBeGreaterThan(20);
  });
});
