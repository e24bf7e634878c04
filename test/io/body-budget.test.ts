import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BodyBudget, type BodyClaim, type BodyLimits } from "../../src/io/body-budget.ts";

const LIMITS: BodyLimits = {
  totalBytes: 48,
  largeBytes: 40,
  smallBytes: 4,
  waitMs: 1000,
  lookMs: 100,
  mostWaiting: 6,
  mostWaitingOfOwner: 4,
  patienceMs: 500,
  paceBytesPerMs: 0.01,
  goneMs: 60_000,
};

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

/** A budget whose time passes when a test says so. */
function aBudget(limits: Partial<BodyLimits> = {}) {
  let nowMs = 1_000_000;
  const sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  const clock = {
    now: () => nowMs,
    sleep: (ms: number) =>
      new Promise<void>((wake) => void sleepers.add({ untilMs: nowMs + ms, wake })),
  };
  const budget = new BodyBudget({ ...LIMITS, ...limits }, clock);
  const pass = async (ms: number): Promise<void> => {
    for (const endMs = nowMs + ms; ;) {
      const due = [...sleepers].filter(({ untilMs }) => untilMs <= endMs);
      const next = Math.min(...due.map(({ untilMs }) => untilMs));
      nowMs = Math.min(next, endMs);
      for (const sleeper of due.filter(({ untilMs }) => untilMs === next)) {
        sleepers.delete(sleeper);
        sleeper.wake();
      }
      await settled();
      if (due.length === 0) return;
    }
  };
  return { budget, pass, look: () => pass(LIMITS.lookMs) };
}

/** What became of asking for more: at once, or later. */
function asked(claim: BodyClaim, bytes: number) {
  const state: { granted: boolean | null } = { granted: null };
  const answer = claim.hold(bytes);
  if (typeof answer === "boolean") state.granted = answer;
  else void answer.then((granted) => (state.granted = granted));
  return state;
}

/* oxlint-disable no-await-in-loop -- one event after the other */

describe("a budget of bodies", () => {
  it("gives at once what is free, and counts it until it is given back", () => {
    const { budget } = aBudget();
    const [a, b] = [budget.open("a"), budget.open("b")];
    expect([a.hold(25), b.hold(10), budget.heldBytes]).toEqual([true, true, 35]);
    a.ended(20);
    expect(budget.heldBytes).toBe(30);
    a.release();
    a.release();
    b.release();
    expect(budget.heldBytes).toBe(0);
    expect(a.hold(1)).toBe(false);
  });

  it("serves five large bodies one after the other, in their order", async () => {
    const { budget, look } = aBudget();
    const claims = Array.from({ length: 5 }, (_, at) => budget.open(`t${at}`));
    const states = claims.map((claim) => asked(claim, 25));
    for (const [at, claim] of claims.entries()) {
      await look();
      const granted = states.map((state) => state.granted);
      expect(granted).toEqual(states.map((_, other) => (other <= at ? true : null)));
      expect(budget.heldBytes).toBe(25);
      claim.release();
    }
    expect([budget.heldBytes, budget.waiting]).toEqual([0, 0]);
  });

  it("refuses what has waited long enough, and forgets it", async () => {
    const { budget, pass } = aBudget();
    const first = budget.open("a");
    void first.hold(25);
    const second = budget.open("b");
    const state = asked(second, 25);
    await pass(999);
    expect(state.granted).toBeNull();
    await pass(1);
    expect([state.granted, budget.waiting]).toEqual([false, 0]);
  });

  it("lets only so many wait, and only some of one owner", () => {
    const { budget } = aBudget();
    void budget.open("a").hold(40);
    const of = (owner: string) => asked(budget.open(owner), 25).granted;
    expect([of("a"), of("a"), of("a"), of("a")]).toEqual([null, null, null, null]);
    expect(of("a")).toBe(false);
    expect([of("b"), of("c")]).toEqual([null, null]);
    expect(of("d")).toBe(false);
    expect(budget.waiting).toBe(6);
  });

  it("keeps room for small bodies beside large ones", () => {
    const { budget } = aBudget();
    void budget.open("a").hold(40);
    void budget.open("b").hold(25);
    expect([budget.open("c").hold(4), budget.open("d").hold(4)]).toEqual([true, true]);
    expect(asked(budget.open("e"), 1).granted).toBeNull();
  });

  it("lets a body that fits overtake a larger one, by no more than that one wants", async () => {
    const { budget, look } = aBudget();
    const first = budget.open("a");
    void first.hold(20);
    const large = asked(budget.open("b"), 25);
    const others = Array.from({ length: 4 }, () => budget.open("c"));
    const states = others.map((other) => {
      const state = asked(other, 10);
      other.release();
      return state.granted;
    });
    // Two of ten have overtaken the one that wants 25; a third would be too many.
    expect(states).toEqual([true, true, null, null]);
    first.release();
    await look();
    expect(large.granted).toBe(true);
  });

  it("lets a body grow, and refuses the youngest when all that hold something wait", async () => {
    const { budget, look } = aBudget();
    const claims = [budget.open("a"), budget.open("b"), budget.open("c")] as const;
    expect(claims.map((claim) => claim.hold(13))).toEqual([true, true, true]);
    const states = claims.map((claim) => asked(claim, 26));
    await look();
    expect(states.map(({ granted }) => granted)).toEqual([true, null, false]);
    claims[0].release();
    await look();
    expect(states[1]?.granted).toBe(true);
  });

  it("never lets one wait for itself", () => {
    const { budget } = aBudget();
    const alone = budget.open("a");
    expect(alone.hold(30)).toBe(true);
    expect(alone.hold(40)).toBe(true);
    void budget.open("b").hold(4);
    void budget.open("c").hold(4);
  });

  it("weighs what is made of a body, but lets the largest in alone", () => {
    const { budget } = aBudget();
    const json = budget.open("a");
    json.weigh(2);
    expect([json.hold(3), budget.heldBytes]).toEqual([true, 3]);
    expect([json.hold(10), budget.heldBytes]).toEqual([true, 20]);
    expect([json.hold(26), budget.heldBytes]).toEqual([true, 40]);
    json.ended(5);
    expect(budget.heldBytes).toBe(10);
  });

  it("holds more beside a body, as it is, and waits for that as for any other", async () => {
    const { budget, look, pass } = aBudget();
    const [first, second] = [budget.open("a"), budget.open("b")];
    first.weigh(2);
    expect([first.hold(5), first.holdMore(7), budget.heldBytes]).toEqual([true, true, 17]);
    expect(second.hold(20)).toBe(true);
    const more = second.holdMore(10);
    await look();
    expect([budget.heldBytes, budget.waiting]).toEqual([37, 1]);
    await pass(LIMITS.waitMs);
    expect([await more, budget.heldBytes]).toEqual([false, 37]);
    const again = second.holdMore(10);
    first.release();
    await look();
    expect([await again, budget.heldBytes, first.holdMore(1)]).toEqual([true, 30, false]);
  });

  it("gives up what comes slowly, but only while others wait", async () => {
    const { budget, pass } = aBudget({ waitMs: 10_000 });
    const slow = budget.open("a");
    void slow.hold(30);
    slow.came(1);
    await pass(5000);
    expect(slow.mustGiveWay).toBe(false);
    void budget.open("b").hold(30);
    expect(slow.mustGiveWay).toBe(true);
    slow.came(46);
    expect(slow.mustGiveWay).toBe(false);
  });

  it("takes back what gave no sign of life, when somebody needs it", async () => {
    const { budget, pass, look } = aBudget();
    const lost = budget.open("a");
    void lost.hold(30);
    lost.came(1_000_000);
    await pass(59_999);
    const state = asked(budget.open("b"), 30);
    expect([state.granted, lost.mustGiveWay]).toEqual([null, false]);
    await pass(1);
    expect(asked(budget.open("c"), 30).granted).toBeNull();
    await look();
    expect([state.granted, lost.mustGiveWay, lost.hold(31)]).toEqual([true, true, false]);
  });

  it("holds under any order of events", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            act: fc.constantFrom("open", "grow", "end", "release", "pass"),
            at: fc.nat(20),
            bytes: fc.integer({ min: 1, max: 40 }),
          }),
          { maxLength: 60 },
        ),
        async (events) => {
          const { budget, pass, look } = aBudget();
          const open: BodyClaim[] = [];
          let waitingFor = 0;
          for (const { act, at, bytes } of events) {
            const claim = open[at % Math.max(1, open.length)];
            if (act === "open") open.push(budget.open(`t${at % 3}`));
            else if (act === "pass") await pass(bytes * 20);
            else if (claim === undefined) continue;
            else if (act === "end") claim.ended(bytes);
            else if (act === "release") claim.release();
            else {
              const answer = claim.hold(bytes);
              if (typeof answer !== "boolean") {
                waitingFor += 1;
                void answer.then(() => (waitingFor -= 1));
              }
            }
            await look();
            expect(budget.heldBytes).toBeGreaterThanOrEqual(0);
            expect(budget.heldBytes).toBeLessThanOrEqual(48);
            expect(budget.waiting).toBe(waitingFor);
            expect(budget.waiting).toBeLessThanOrEqual(LIMITS.mostWaiting);
          }
          await pass(LIMITS.waitMs);
          await look();
          expect([budget.waiting, waitingFor]).toEqual([0, 0]);
          for (const claim of open) claim.release();
          expect(budget.heldBytes).toBe(0);
          expect(budget.open("z").hold(40)).toBe(true);
        },
      ),
      { seed: 12, numRuns: 300 },
    );
  });
});
