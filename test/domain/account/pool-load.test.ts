import { describe, expect, it } from "vitest";
import { DayPool } from "../../../src/domain/account/day-pool.ts";
import { lease, type LeaseRequest } from "../../../src/domain/account/lease.ts";
import { microNeurons, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";

// Fifty tenants at full load, until nothing is left: how much of the pool is used, how many calls of
// it that takes, and who gets how much.

const DAY = 100;
const START_MS = DAY * 86_400_000;
const SIZE = 10_000_000_000;
const PICTURE = 228_055;
/** A tenant asks for as much as this many calls need. */
const CALLS_AT_ONCE = 256;

interface Tenant {
  readonly name: string;
  readonly bound: number;
  allowance: number;
  spent: number;
  seq: number;
  againAtMs: number;
  /** Nothing that others give back would help it. */
  isOver: boolean;
}

interface Load {
  readonly tenants: readonly Tenant[];
  readonly asks: number;
  readonly admitted: number;
}

/** Everybody calls as often as it can, in turn; a millisecond a round. */
function load(bounds: readonly number[], floors: Readonly<Record<string, number>> = {}): Load {
  const pool = new DayPool({
    day: DAY,
    size: microNeurons(SIZE),
    floors: Object.entries(floors).map(([of, floor]) => [of, microNeurons(floor)] as const),
    limits: { holdShare: 0.2, unspentShare: 0.333 },
  });
  const tenants = bounds.map((bound, at): Tenant => ({
    name: `t${at}`,
    bound,
    allowance: 0,
    spent: 0,
    seq: 0,
    againAtMs: 0,
    isOver: false,
  }));
  let asks = 0;
  let admitted = 0;
  for (let nowMs = START_MS; tenants.some(({ isOver }) => !isOver);) {
    nowMs += 1;
    for (const tenant of tenants) {
      if (tenant.spent + tenant.bound > tenant.allowance) {
        if (tenant.isOver || nowMs < tenant.againAtMs) continue;
        asks += 1;
        // Who was refused keeps nothing that it cannot use.
        if (tenant.againAtMs > 0) tenant.allowance = tenant.spent;
        const heard = lease(pool, askOf(tenant), nowMs);
        if (heard.kind !== "answered") throw new Error(heard.kind);
        tenant.seq = heard.answer.seq;
        tenant.allowance = heard.answer.granted;
        const { refused } = heard.answer;
        tenant.againAtMs = refused?.againAtMs ?? 0;
        tenant.isOver = refused?.missing === 0;
        if (refused !== null) continue;
      }
      tenant.spent += tenant.bound;
      admitted += 1;
    }
    // Nothing happens while all of them wait.
    const waits = tenants.filter(({ isOver }) => !isOver).map(({ againAtMs }) => againAtMs);
    if (waits.length > 0 && Math.min(...waits) > nowMs) nowMs = Math.min(...waits) - 1;
  }
  expect(pool.share({ tenant: "t0", generation: 1 })).toBeDefined();
  return { tenants, asks, admitted };
}

const askOf = (tenant: Tenant): LeaseRequest => {
  const least = microNeurons(Math.max(0, tenant.spent + tenant.bound - tenant.allowance));
  return {
    tenant: tenant.name,
    generation: 1,
    seq: tenant.seq + 1,
    allowance: microNeurons(tenant.allowance),
    spent: microNeurons(tenant.spent),
    pending: ZERO,
    need: { least, need: least, want: microNeurons(tenant.bound * CALLS_AT_ONCE) },
  };
};

const spentBy = ({ tenants }: Load): number => tenants.reduce((sum, { spent }) => sum + spent, 0);

describe("a pool of 10,000 neurons", () => {
  it("is used up by fifty tenants' pictures, evenly and with few calls", () => {
    const done = load(Array.from({ length: 50 }, () => PICTURE));
    expect(spentBy(done)).toBeLessThanOrEqual(SIZE);
    expect(spentBy(done)).toBeGreaterThanOrEqual(SIZE * 0.99);
    expect(done.admitted).toBeGreaterThanOrEqual(43_410);
    expect(done.asks).toBeLessThan(done.admitted / 50);
    const each = done.tenants.map(({ spent }) => spent);
    expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(4 * PICTURE);
  });

  it("is used up by calls of all sizes, with floors that are had in full", () => {
    const bounds = Array.from({ length: 40 }, (_, at) => PICTURE * (1 + (at % 7) * 6));
    const floors = { t3: 1_000_000_000, t11: 500_000_000 };
    const done = load(bounds, floors);
    expect(spentBy(done)).toBeLessThanOrEqual(SIZE);
    expect(spentBy(done)).toBeGreaterThanOrEqual(SIZE * 0.99);
    const [, , , t3] = done.tenants;
    expect(t3?.spent).toBeGreaterThanOrEqual(1_000_000_000);
    // Those whose calls are alike get the same, whoever asks first.
    const alike = done.tenants.filter(
      ({ name, bound }) => !(name in floors) && bound === PICTURE * 37,
    );
    const each = alike.map(({ spent }) => spent);
    expect(alike.length).toBeGreaterThan(4);
    expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(4 * PICTURE * 37);
  });

  it("is one tenant's alone while no other wants it", () => {
    const done = load([PICTURE]);
    expect(spentBy(done)).toBeGreaterThanOrEqual(SIZE - PICTURE);
    expect(done.asks).toBeLessThan(done.admitted / 200);
  });
});
