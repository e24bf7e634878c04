import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type LeaseAnswer,
  type LeaseRequest,
  LEASE_MS,
  UNUSABLE_BEFORE_MS,
} from "../../../src/domain/account/lease.ts";
import { microNeurons, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import type { LeaseRefusal } from "../../../src/domain/account/pool-refusal.ts";
import { DEMAND_MS, type Share } from "../../../src/domain/account/pool.ts";
import { claimed, lease, type Pool } from "./pools.ts";

// Random histories of a pool and its tenants, with messages that are lost, repeated and overtaken and
// tenants that forget all but what they wrote down. Two of them are hostile: one whose dear calls cost
// nothing, and one that asks for too much and for little in turn. What must hold is read off what the tenants
// really admitted, not off what the pool thinks.

const SIZE = 200;
const DAY = 100;
const START_MS = DAY * 86_400_000;
const TENANTS = ["a", "b", "c", "dear", "erratic"] as const;
const [DEAR, ERRATIC] = [3, 4];
const FLOORS = { a: 0, b: 50, c: 60 };

type Step =
  | { readonly do: "call"; readonly who: number; readonly bound: number }
  | { readonly do: "settle"; readonly who: number; readonly used: number }
  | { readonly do: "ask"; readonly who: number; readonly bound: number; readonly times: number }
  | { readonly do: "hear" | "answer"; readonly pick: number; readonly keep: boolean }
  | { readonly do: "give_back" | "crash"; readonly who: number }
  | { readonly do: "void"; readonly who: number }
  | { readonly do: "hostile"; readonly who: number; readonly large: boolean }
  | { readonly do: "clock"; readonly byMs: number };

const LIMITS = { holdShare: 0.2, unspentShare: 0.333 };

const who = fc.nat(TENANTS.length - 1);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("call" as const), who, bound: fc.nat(40) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("settle" as const), who, used: fc.nat(60) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      who,
      bound: fc.integer({ min: 1, max: 40 }),
      times: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom("hear" as const, "answer" as const),
      pick: fc.nat(20),
      keep: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("give_back" as const, "crash" as const), who }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("hostile" as const),
      who: fc.constantFrom(DEAR, ERRATIC),
      large: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("void" as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("clock" as const), byMs: fc.nat(400_000) }) },
);

/** What a tenant's object has on disk, and the holds of it. */
interface Tenant {
  readonly name: string;
  allowance: number;
  deadlineMs: number;
  /** Of the last message that was answered. */
  seq: number;
  holds: number[];
  posted: number;
  overrun: number;
  /** In memory: the number of the message that it waits for. */
  waitsFor: number | null;
}

class Walk {
  pool: Pool = {
    day: DAY,
    size: microNeurons(SIZE),
    floors: new Map(Object.entries(FLOORS).map(([of, floor]) => [of, microNeurons(floor)])),
    limits: LIMITS,
    shares: new Map(),
  };
  nowMs = START_MS;
  readonly tenants: Tenant[] = TENANTS.map((name) => ({
    name,
    allowance: 0,
    deadlineMs: 0,
    seq: 0,
    holds: [],
    posted: 0,
    overrun: 0,
    waitsFor: null,
  }));
  asks: LeaseRequest[] = [];
  answers: { readonly to: string; readonly answer: LeaseAnswer }[] = [];

  step(step: Step): void {
    switch (step.do) {
      case "call":
        return this.#call(this.#tenant(step.who), step.bound);
      case "settle":
        return settle(this.#tenant(step.who), step.used);
      case "ask": {
        const least = microNeurons(step.bound);
        const need = { least, need: least, want: microNeurons(step.bound * step.times) };
        return this.#send(this.#tenant(step.who), need);
      }
      case "hostile":
        return this.#ask(this.#tenant(step.who), step.large ? (step.who === DEAR ? 40 : 70) : 2);
      case "void":
        return void this.#tenant(step.who).holds.shift();
      case "hear":
        return this.#hear(step);
      case "answer":
        return this.#answer(step);
      case "give_back": {
        const tenant = this.#tenant(step.who);
        tenant.allowance = Math.min(tenant.allowance, usedOf(tenant));
        return this.#send(tenant, null);
      }
      case "crash":
        this.#tenant(step.who).waitsFor = null;
        return;
      case "clock":
        this.nowMs += step.byMs;
    }
  }

  check(): void {
    const overrun = this.tenants.reduce((sum, tenant) => sum + tenant.overrun, 0);
    const admitted = this.tenants.reduce(
      (sum, tenant) => sum + tenant.posted + tenant.holds.reduce((total, held) => total + held, 0),
      0,
    );
    expect(admitted, "admitted within the pool").toBeLessThanOrEqual(SIZE);
    expect(claimed(this.pool), "granted or reported within the pool").toBeLessThanOrEqual(
      SIZE + overrun,
    );
    for (const { name, allowance } of this.tenants) {
      const share = this.pool.shares.get(`${name}/1`);
      expect(share?.granted ?? 0, "no tenant has what it was not granted").toBeGreaterThanOrEqual(
        allowance,
      );
    }
  }

  #ask(tenant: Tenant, bound: number): void {
    const least = microNeurons(bound);
    this.#send(tenant, { least, need: least, want: microNeurons(256 * bound) });
  }

  #tenant(index: number): Tenant {
    const tenant = this.tenants[index];
    if (tenant === undefined) throw new RangeError("no such tenant");
    return tenant;
  }

  #call(tenant: Tenant, bound: number): void {
    if (this.nowMs >= tenant.deadlineMs - UNUSABLE_BEFORE_MS) return;
    if (usedOf(tenant) + bound <= tenant.allowance) tenant.holds.push(bound);
  }

  #send(tenant: Tenant, need: LeaseRequest["need"]): void {
    tenant.waitsFor = tenant.seq + 1;
    this.asks.push({
      tenant: tenant.name,
      generation: 1,
      seq: tenant.waitsFor,
      allowance: microNeurons(tenant.allowance),
      spent: microNeurons(tenant.posted + tenant.overrun),
      pending: microNeurons(tenant.holds.reduce((sum, held) => sum + held, 0)),
      need,
    });
  }

  /** A message arrives: any of those on their way, and perhaps once more later. */
  #hear({ pick, keep }: { readonly pick: number; readonly keep: boolean }): void {
    const at = pick % Math.max(1, this.asks.length);
    const ask = this.asks[at];
    if (ask === undefined) return;
    if (!keep) this.asks.splice(at, 1);
    const overrun = this.tenants.reduce((sum, tenant) => sum + tenant.overrun, 0);
    const floor = this.pool.floors.get(ask.tenant) ?? 0;
    const before = this.pool;
    const heard = lease(this.pool, ask, this.nowMs);
    if (heard.kind === "stale") return;
    if (heard.kind === "answered") {
      this.pool = heard.pool;
      this.#limited(before, ask, heard.share);
      const claim = heard.share.granted;
      const isBelow = ask.need !== null && claim + ask.need.least <= floor;
      // What engines used beyond their bounds is nobody's, and may be of a floor.
      if (isBelow && overrun === 0) {
        expect(heard.answer.refused, "a floor is free until its tenant takes it").toBeNull();
      }
    }
    this.answers.push({ to: ask.tenant, answer: heard.answer });
  }

  /** What one call may hold, and what one tenant may have unspent while another one asks. */
  #limited(before: Pool, ask: LeaseRequest, share: Share): void {
    const floor = this.pool.floors.get(share.tenant) ?? 0;
    const { need } = ask;
    if (need === null) return;
    const refused = share.answer?.refused ?? null;
    if (refused !== null) return this.#honest(share, refused);
    const bound = need.least === 0 ? 0 : need.least + ask.allowance - ask.spent - ask.pending;
    expect(bound, "a hold").toBeLessThanOrEqual(Math.max(LIMITS.holdShare * SIZE, floor));
    const others = [...before.shares.values()].filter(({ tenant }) => tenant !== share.tenant);
    const isWanted = others.some(({ askedAtMs }) => askedAtMs > this.nowMs - DEMAND_MS);
    if (!isWanted || share.granted <= Math.max(ask.allowance, floor)) return;
    const taken = TENANTS.filter((name) => name !== share.tenant).map((name) =>
      Math.max(before.shares.get(`${name}/1`)?.spent ?? 0, before.floors.get(name) ?? 0),
    );
    const unspent = SIZE - share.spent - taken.reduce((sum, one) => sum + one, 0);
    expect(share.granted, "its share of what is unspent").toBeLessThanOrEqual(
      Math.max(share.spent, floor) + LIMITS.unspentShare * Math.max(0, unspent),
    );
  }

  /** What was said to be available would have been granted, and what was refused was not available. */
  #honest(share: Share, { available, level }: LeaseRefusal): void {
    const least = available - share.granted;
    const cap = Math.max(LIMITS.holdShare * SIZE, this.pool.floors.get(share.tenant) ?? 0);
    if (level - share.spent - share.pending > cap) return;
    expect(level, "refused").toBeGreaterThan(available);
    if (least === 0) return;
    const need = { least: microNeurons(least), need: microNeurons(least), want: available };
    const { tenant, generation, seq, granted: allowance, spent, pending } = share;
    const ask = { tenant, generation, seq: seq + 1, allowance, spent, pending, need };
    const heard = lease(this.pool, ask, this.nowMs);
    expect(heard.kind === "answered" && heard.answer.refused, "available").toBeNull();
  }

  #answer({ pick, keep }: { readonly pick: number; readonly keep: boolean }): void {
    const at = pick % Math.max(1, this.answers.length);
    const given = this.answers[at];
    if (given === undefined) return;
    this.answers.splice(at, 1);
    const tenant = this.tenants.find(({ name }) => name === given.to);
    // Lost, or too late: it waits for another by now.
    if (!keep || tenant === undefined || given.answer.seq !== tenant.waitsFor) return;
    tenant.allowance = given.answer.granted;
    tenant.deadlineMs = given.answer.deadlineMs;
    tenant.seq = given.answer.seq;
    tenant.waitsFor = null;
  }
}

function settle(tenant: Tenant, used: number): void {
  const held = tenant.holds.shift();
  if (held === undefined) return;
  tenant.posted += Math.min(used, held);
  tenant.overrun += Math.max(0, used - held);
}

const usedOf = ({ posted, overrun, holds }: Tenant): number =>
  posted + overrun + holds.reduce((sum, held) => sum + held, 0);

describe("a pool and its tenants", () => {
  it("admit no more than there is, whatever becomes of their messages", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { minLength: 20, maxLength: 120 }), (steps) => {
        const walk = new Walk();
        for (const step of steps) {
          walk.step(step);
          walk.check();
        }
      }),
      { numRuns: 400 },
    );
  });

  it("leave to one tenant what two hostile ones may not have, however often these ask", () => {
    const asks = fc.array(
      fc.record({
        who: fc.constantFrom("dear", "erratic"),
        least: fc.integer({ min: 1, max: 40 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    const spent = fc.integer({ min: 0, max: 80 });
    fc.assert(
      fc.property(spent, spent, asks, (ofHonest, ofOther, hostile) => {
        const walk = new Walk();
        let { pool } = walk;
        const seqs = new Map<string, number>();
        const says = (tenant: string, has: number, used: number, least: number | null) => {
          const seq = (seqs.get(tenant) ?? 0) + 1;
          seqs.set(tenant, seq);
          const amount = microNeurons(least ?? 0);
          const need = { least: amount, need: amount, want: microNeurons(256 * amount) };
          const ask: LeaseRequest = {
            tenant,
            generation: 1,
            seq,
            allowance: microNeurons(has),
            spent: microNeurons(used),
            pending: ZERO,
            need: least === null ? null : need,
          };
          const heard = lease(pool, ask, START_MS);
          if (heard.kind !== "answered") throw new Error(heard.kind);
          ({ pool } = heard);
          return heard.answer;
        };
        says("a", ofHonest, ofHonest, null);
        says("b", ofOther, ofOther, null);
        const has = new Map<string, number>();
        // The first time each is believed: its calls may cost something. One that is alone may have all.
        for (const name of ["dear", "erratic"]) has.set(name, says(name, 0, 0, 1).granted);
        for (const name of ["dear", "erratic"]) {
          says(name, 0, 0, null);
          has.set(name, says(name, 0, 0, 1).granted);
        }
        for (const { who: name, least } of hostile) {
          has.set(name, says(name, has.get(name) ?? 0, 0, least).granted);
        }
        const kept = Math.max(0, FLOORS.b - ofOther) + FLOORS.c;
        const unspent = SIZE - ofHonest - ofOther - kept;
        const left = Math.floor(unspent * (1 - 2 * LIMITS.unspentShare));
        const call = Math.min(left, Math.floor(LIMITS.unspentShare * unspent), 40);
        if (call > 0) expect(says("a", ofHonest, ofHonest, call).refused).toBeNull();
      }),
      { numRuns: 400 },
    );
  });

  it("release nothing by time alone", () => {
    const walk = new Walk();
    const need = { least: microNeurons(10), need: microNeurons(10), want: microNeurons(900) };
    const ask = {
      tenant: "a",
      generation: 1,
      seq: 1,
      allowance: ZERO,
      spent: ZERO,
      pending: ZERO,
      need,
    };
    const first = lease(walk.pool, ask, START_MS);
    if (first.kind !== "answered") throw new Error(first.kind);
    const granted = first.answer.granted;
    const later = lease(first.pool, { ...ask, tenant: "b" }, START_MS + 100 * LEASE_MS);
    if (later.kind !== "answered") throw new Error(later.kind);
    expect(claimed(later.pool)).toBe(granted + later.answer.granted);
    expect(later.pool.shares.get("a/1")?.granted).toBe(granted);
  });
});
