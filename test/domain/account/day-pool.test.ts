import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DayPool } from "../../../src/domain/account/day-pool.ts";
import {
  closeShare,
  lease,
  type LeaseRequest,
  previewLease,
} from "../../../src/domain/account/lease.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { outlookOf } from "../../../src/domain/account/pool-refusal.ts";
import { recallsFor } from "../../../src/domain/account/pool-recall.ts";
import { claimOf, type Share, shareKey } from "../../../src/domain/account/pool.ts";
import * as plain from "./plain-pool/lease.ts";
import { type Pool, sharedUnspent } from "./plain-pool/pool.ts";
import * as plainRecall from "./plain-pool/pool-recall.ts";
import { outlookOf as plainOutlook } from "./plain-pool/pool-refusal.ts";

// The pool by its sums answers as the plain rules do, which look at all shares: `plain-pool/` has these.

const DAY = 100;
const START_MS = DAY * 86_400_000;

interface Step {
  readonly who: number;
  readonly generation: number;
  readonly seq: "next" | "same" | "old";
  readonly allowance: number;
  readonly spent: number;
  readonly pending: number;
  readonly least: number;
  readonly need: number;
  readonly want: number;
  readonly reports: boolean;
  readonly byMs: number;
  readonly act:
    | "ask"
    | "preview"
    | "close"
    | "recall"
    | "drop"
    | "floor"
    | "size"
    | "wake"
    | "wakeOpen";
}

const little = fc.nat(60);
const anyStep: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(4),
  generation: fc.constantFrom(1, 1, 1, 2),
  seq: fc.constantFrom("next", "next", "next", "next", "same", "old"),
  allowance: little,
  spent: little,
  pending: little,
  least: fc.constantFrom(0, 1, 5, 20, 60, 200),
  need: little,
  want: fc.nat(400),
  reports: fc.boolean(),
  byMs: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(0, 1, 500, 1_000, 3_000) },
    { weight: 2, arbitrary: fc.constantFrom(10_000, 30_000, 60_000, 400_000) },
  ),
  act: fc.constantFrom(
    "ask",
    "ask",
    "ask",
    "ask",
    "ask",
    "preview",
    "close",
    "recall",
    "recall",
    "drop",
    "floor",
    "size",
    "wake",
    "wakeOpen",
  ),
});

const nameOf = (who: number): string => `t${who}`;

class Both {
  nowMs = START_MS;
  plain: Pool;
  sums: DayPool;
  /** Shares that the sums have dropped. */
  readonly #dropped = new Map<string, Share>();
  readonly #asked = new Map<string, { readonly atMs: number; readonly seq: number }>();

  constructor(size: number, floors: readonly number[], unspentShare: number) {
    const limits = { holdShare: 0.5, unspentShare };
    const kept = floors.map((floor, at) => [nameOf(at), microNeurons(floor)] as const);
    this.plain = {
      day: DAY,
      size: microNeurons(size),
      floors: new Map(kept.filter(([, floor]) => floor > 0)),
      limits,
      shares: new Map(),
    };
    this.sums = this.#built();
  }

  #built(): DayPool {
    const built = new DayPool(this.plain);
    built.load([...this.plain.shares.values()], this.nowMs);
    return built;
  }

  play(step: Step): void {
    this.nowMs += step.byMs;
    const ask = this.#askOf(step);
    this.#restore(ask.tenant);
    if (step.act === "ask" || step.act === "preview") return this.#ask(ask, step.act === "preview");
    if (step.act === "close") {
      const closed = plain.closeShare(this.plain, ask, this.nowMs);
      expect(closeShare(this.sums, ask, this.nowMs)).toEqual(closed.share);
      this.plain = closed.pool;
    }
    if (step.act === "recall") this.#recall(step.want);
    if (step.act === "drop") this.#drop();
    if (step.act === "floor") this.#setFloor(ask.tenant, step.need);
    if (step.act === "size") {
      this.plain = { ...this.plain, size: microNeurons(step.want + 50) };
      this.sums.size = this.plain.size;
    }
    if (step.act === "wake") {
      this.sums = this.#built();
      this.#dropped.clear();
      this.#asked.clear();
    }
    if (step.act === "wakeOpen") this.#wakeOpen();
  }

  /** Only what is open is read share by share; of the others, sums. */
  #wakeOpen(): void {
    const shares = [...this.plain.shares.values()];
    const closed = shares.filter((share) => !this.#isOpen(share));
    const built = new DayPool(this.plain);
    built.load(
      shares.filter((share) => this.#isOpen(share)),
      this.nowMs,
    );
    const sums = closed.map((share) => ({
      tenant: share.tenant,
      claim: claimOf(share),
      spent: share.spent,
    }));
    built.loadClosed(sums, this.nowMs);
    this.sums = built;
    this.#dropped.clear();
    for (const share of closed) this.#dropped.set(shareKey(share), share);
    this.#asked.clear();
  }

  #isOpen({ granted, spent, pending, askedAtMs }: Share): boolean {
    return granted > spent + pending || pending > 0 || askedAtMs > this.nowMs - 60_000;
  }

  check(): void {
    this.sums.advance(this.nowMs);
    const shares = [...this.plain.shares.values()];
    expect(this.sums.claimed).toBe(shares.reduce((sum, share) => sum + claimOf(share), 0));
    expect(this.sums.spent).toBe(shares.reduce((sum, { spent }) => sum + spent, 0));
    expect(this.sums.held).toBe(shares.reduce((sum, { pending }) => sum + pending, 0));
    expect(this.sums.sharedUnspent).toBe(sharedUnspent(this.plain));
    expect(this.sums.lack).toBe(plainRecall.missingOf(this.plain, this.nowMs));
    const held = plainRecall.withUnused(this.plain).map(({ deadlineMs }) => deadlineMs);
    expect(this.sums.unused.firstEndMs).toBe(held.length === 0 ? null : Math.min(...held));
  }

  #askOf({ who, generation, seq, reports, ...amounts }: Step): LeaseRequest {
    const tenant = nameOf(who);
    const before = this.plain.shares.get(shareKey({ tenant, generation }));
    const at = (before?.seq ?? 0) + (seq === "next" ? 1 : seq === "same" ? 0 : -1);
    const need = Math.max(amounts.least, amounts.need);
    return {
      tenant,
      generation,
      seq: Math.max(1, at),
      allowance: microNeurons(Math.min(amounts.allowance, before?.granted ?? 10)),
      spent: microNeurons(Math.max(before?.spent ?? 0, amounts.spent)),
      pending: microNeurons(amounts.pending),
      need: reports
        ? null
        : {
            least: microNeurons(amounts.least),
            need: microNeurons(need),
            want: microNeurons(Math.max(need, amounts.want)),
          },
    };
  }

  #ask(ask: LeaseRequest, isPreview: boolean): void {
    const expected = plain.lease(this.plain, ask, this.nowMs);
    const { pool, ...answer } = { pool: this.plain, ...expected };
    expect(previewLease(this.sums, ask, this.nowMs)).toEqual(answer);
    if (!isPreview) {
      expect(lease(this.sums, ask, this.nowMs)).toEqual(answer);
      this.plain = pool;
    }
    const share = this.plain.shares.get(shareKey(ask)) ?? plain.emptyShare(ask, this.nowMs);
    expect(outlookOf(this.sums, share, this.nowMs)).toEqual(
      plainOutlook(this.plain, share, this.nowMs),
    );
  }

  #recall(missing: number): void {
    for (const { tenant } of this.#dropped.values()) this.#restore(tenant);
    const mayAsk = (share: Share): boolean => {
      const before = this.#asked.get(shareKey(share));
      if (before === undefined || before.atMs <= this.nowMs - 10_000) return true;
      if (share.seq > before.seq + 1) return true;
      return share.seq > before.seq && before.atMs <= this.nowMs - 1_000;
    };
    const expected = plainRecall.recallsFor(this.plain, missing, this.nowMs, mayAsk);
    const recalls = recallsFor(this.sums, missing, this.nowMs);
    expect(recalls.map(({ keep }) => keep)).toEqual(expected.map(({ keep }) => keep));
    // Of those that have the same it does not matter which is asked.
    expect(recalls.map((recall) => this.#surplus(recall))).toEqual(
      expected.map((recall) => this.#surplus(recall)),
    );
    for (const recall of recalls) {
      const seq = this.plain.shares.get(shareKey(recall))?.seq ?? 0;
      this.#asked.set(shareKey(recall), { atMs: this.nowMs, seq });
      this.sums.unused.noteAsked(recall, this.nowMs);
    }
  }

  #surplus({ tenant, generation, keep }: plainRecall.LeaseRecall): number {
    const share = this.plain.shares.get(shareKey({ tenant, generation }));
    if (share === undefined) throw new Error(`${tenant} has nothing`);
    const kept = share.reportedAtMs <= this.nowMs - 10_000 ? 0 : keep;
    const used = share.spent + share.pending + kept;
    return share.granted - Math.max(used, this.plain.floors.get(tenant) ?? 0);
  }

  /** What has neither anything unused nor asked just now. */
  #drop(): void {
    for (const share of this.plain.shares.values()) {
      if (this.#isOpen(share)) continue;
      if (this.#dropped.has(shareKey(share))) continue;
      this.#dropped.set(shareKey(share), share);
      this.sums.drop(share, this.nowMs);
    }
  }

  #restore(tenant: string): void {
    const all = [...this.plain.shares.values()].filter((share) => share.tenant === tenant);
    if (!all.some((share) => this.#dropped.has(shareKey(share)))) return;
    for (const share of all) this.#dropped.delete(shareKey(share));
    this.sums.restore(tenant, all, this.nowMs);
  }

  #setFloor(tenant: string, floor: number): void {
    const floors = new Map(this.plain.floors).set(tenant, microNeurons(floor));
    this.plain = { ...this.plain, floors };
    this.sums.setFloor(tenant, microNeurons(floor));
  }
}

describe("a pool by its sums", () => {
  it("answers as one that looks at all shares", () => {
    const floor = fc.constantFrom(0, 0, 0, 20, 40);
    fc.assert(
      fc.property(
        fc.integer({ min: 50, max: 3_000 }),
        fc.array(floor, { minLength: 5, maxLength: 5 }),
        fc.constantFrom(0.2, 0.333, 1),
        fc.array(anyStep, { minLength: 1, maxLength: 100, size: "max" }),
        (size, floors, unspentShare, steps) => {
          const both = new Both(size, floors, unspentShare);
          for (const each of steps) {
            both.play(each);
            both.check();
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** So many shares of today: what one question costs then, in nodes of trees that it looks at. */
function stepsAt(count: number): number {
  const size = microNeurons(count * 1_000_000);
  const limits = { holdShare: 0.2, unspentShare: 0.333 };
  const floors = Array.from({ length: count / 10 }, (_, at) => [nameOf(at * 10), microNeurons(9)]);
  const pool = new DayPool({ day: DAY, size, limits, floors: floors as never });
  const ask = (who: number, seq: number): LeaseRequest => ({
    tenant: nameOf(who),
    generation: 1,
    seq,
    allowance: microNeurons(
      seq === 1 ? 0 : (pool.share({ tenant: nameOf(who), generation: 1 })?.granted ?? 0),
    ),
    spent: microNeurons(seq === 1 ? 0 : 7 * who),
    pending: microNeurons(3),
    need: { least: microNeurons(10), need: microNeurons(10), want: microNeurons(2_500_000) },
  });
  for (let who = 0; who < count; who += 1) lease(pool, ask(who, 1), START_MS + who);
  const before = pool.steps;
  const questions = 20;
  for (let at = 0; at < questions; at += 1) {
    const who = Math.floor((at * count) / questions);
    previewLease(pool, ask(who, 2), START_MS + count);
    lease(pool, ask(who, 2), START_MS + count);
    recallsFor(pool, 500, START_MS + count);
  }
  return (pool.steps - before) / questions;
}

describe("a question", () => {
  it("costs steps by the logarithm of the number of shares", () => {
    const [few, many] = [stepsAt(20), stepsAt(10_000)];
    expect(few).toBeGreaterThan(0);
    // For 500 times as many: trees are three times as deep, and the search for a level takes more rounds.
    expect(many / few).toBeLessThan(10);
    expect(many).toBeLessThan(4_000);
  });
});
