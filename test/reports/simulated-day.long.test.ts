import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Hold } from "../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import { newId } from "../../src/http/ids.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import type { UsageMessage } from "../../src/reports/usage-message.ts";
import {
  aTenant,
  type ATenant,
  aVerdict,
  broken,
  cleanUp,
  HOUR,
  itemsOf,
  MINUTE,
  pictures,
  PLATFORM,
  rows,
  SECOND,
  stopClock,
  TEXT,
  voidItemsOf,
} from "../durable-objects/a-tenant.ts";
import { admin, type Reply } from "../client.ts";
import { deliver, FakeQueue, standingOf } from "./fake-queue.ts";
import { journalSums, reportedSums } from "./journal-sums.ts";

// A day of several tenants, under a clock that the test moves, with a queue that repeats, reorders
// and loses what it is given. At its end the reports hold what the journals do, to the micro-neuron.

const SEED = 20_261_126;
const TENANTS = 4;
const STEPS = 220;

const MIDNIGHT_BEFORE = Date.UTC(2036, 10, 20);

beforeEach(async () => {
  stopClock(MIDNIGHT_BEFORE + 5 * HOUR);
  await migrateReports(env.REPORTS);
});
afterEach(cleanUp);

/** mulberry32: the same day every time. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

class Day {
  readonly #random = randomOf(SEED);
  readonly queue = new FakeQueue();
  readonly tenants: ATenant[] = [];
  readonly #open: { readonly tenant: ATenant; readonly hold: Hold }[] = [];
  /** Underway; what is delivered may be so again. */
  #pool: UsageMessage[] = [];
  /** Arrived long ago, and do so once more when all is over. */
  readonly #late: UsageMessage[] = [];
  lost = 0;
  adjusted = 0;
  repeated = 0;
  delivered = 0;

  async begin(): Promise<void> {
    for (let made = 0; made < TENANTS; made += 1) {
      const paid = made % 2 === 0;
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as all that follows
      const tenant = await aTenant({
        plan: paid ? "paid" : "free",
        daily_neurons: paid ? 2 : 3,
        overage_usd_per_1000_neurons: "0.02",
      });
      this.tenants.push(tenant);
    }
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#random(items.length)];
  }

  async step(): Promise<void> {
    vi.setSystemTime(Date.now() + this.#random(12 * MINUTE));
    const tenant = this.#pick(this.tenants);
    if (tenant === undefined) return;
    for (let calls = this.#random(4); calls > 0; calls -= 1) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#call(tenant);
    }
    if (this.#random(12) === 0) await evictDurableObject(env.TENANT.getByName(tenant.id));
    if (this.#random(2) === 0) await this.queue.ring(tenant.id);
    this.#pool.push(...this.queue.take());
    await this.#deliverSome();
  }

  async #call(tenant: ATenant): Promise<void> {
    const userId = this.#random(2) === 0 ? null : `u_${this.#random(5)}`;
    const contents = this.#random(3) === 0 ? [TEXT] : [pictures(1 + this.#random(3))];
    const reply = await tenant.admit({ contents, userId });
    if (reply.kind !== "admitted") return;
    this.#open.push({ tenant, hold: reply.hold });
    vi.setSystemTime(Date.now() + this.#random(2 * SECOND));
    // Some are settled at once, some much later, some never.
    while (this.#random(3) > 0 && this.#open.length > 0) {
      const [ended] = this.#open.splice(this.#random(this.#open.length), 1);
      // oxlint-disable-next-line no-await-in-loop
      if (ended !== undefined) await this.#settle(ended.tenant, ended.hold);
    }
  }

  async #settle(tenant: ATenant, hold: Hold): Promise<void> {
    const each = [null, 1000 + this.#random(200_000), 17][this.#random(3)] ?? null;
    const items = this.#random(6) === 0 ? voidItemsOf(hold) : itemsOf(hold, each);
    const decision = this.#random(3) === 0 ? ("block" as const) : ("allow" as const);
    const verdict = aVerdict(hold, { decision, approved: decision === "allow" });
    await tenant.settle(hold, { items, verdicts: [verdict] });
    if (this.#random(8) === 0) await this.#adjust(tenant, hold);
  }

  /** Some of it is given back, which is refused where it was charged nothing. */
  async #adjust(tenant: ATenant, { callId: lineId }: Hold): Promise<void> {
    const amount = this.#random(2) === 0 ? null : microNeurons(1 + this.#random(9));
    const made = await tenant.stub().adjustLine(PLATFORM, {
      id: newId("jnl"),
      requestId: newId("req"),
      route: "POST /admin/tenants/:tenant/adjustments",
      reason: "contested",
      idempotency: null,
      lineId,
      amount,
    });
    if (made.kind === "adjustment") this.adjusted += 1;
  }

  /** What is underway, in any order: some of it twice, some of it never. */
  async #deliverSome(): Promise<void> {
    const arriving: UsageMessage[] = [];
    for (const message of this.#pool.splice(0)) {
      const fate = this.#random(10);
      if (fate < 3) this.lost += 1;
      else if (fate < 6) this.#pool.push(message);
      else arriving.push(message);
      if (fate === 8) this.#late.push(message);
      if (fate === 9) {
        this.#pool.push(message);
        this.repeated += 1;
      }
    }
    arriving.sort(() => this.#random(3) - 1);
    this.delivered += arriving.length;
    for (const message of arriving) await deliver([message]);
  }

  /** The queue does its work again, and everything arrives, what was late last of all. */
  async end(): Promise<void> {
    vi.setSystemTime(Date.now() + 2 * HOUR);
    await this.settleDown();
    await deliver([...this.#pool.splice(0), ...this.#late]);
  }

  async settleDown(): Promise<void> {
    for (const { id } of this.tenants) {
      for (let round = 0; round < 60; round += 1) {
        vi.setSystemTime(Date.now() + 16 * MINUTE);
        await this.queue.ring(id);
        await deliver(this.queue.take());
        const { waiting, rebuild } = await standingOf(id);
        // What expired in the first round is folded in the second.
        const isQuiet = waiting === 0 && (rebuild?.phase ?? "done") === "done";
        if (round > 0 && isQuiet) break;
      }
      expect((await standingOf(id)).waiting).toBe(0);
    }
  }

  async expectEqual(): Promise<void> {
    for (const tenant of this.tenants) {
      const journal = await journalOf(tenant);
      expect(Object.keys(journal).length).toBeGreaterThan(20);
      expect(await reportedSums(tenant.id)).toEqual(journal);
      expect(await broken(tenant.id)).toEqual([]);
      const path = `/admin/tenants/${tenant.id}/statements/2036-11`;
      const { body: statement } = await admin("GET", path);
      expect(statedSums(statement)).toEqual(sumsOver(journal));
    }
  }
}

describe("the reports after a day of repeated, reordered and lost deliveries", () => {
  it(
    "equal the journals, also once they were garbled and made anew",
    { timeout: 240_000 },
    async () => {
      const day = new Day();
      await day.begin();
      for (let step = 0; step < STEPS; step += 1) await day.step();
      await day.end();
      expect(day.adjusted).toBeGreaterThan(5);
      expect(day.lost).toBeGreaterThan(20);
      expect(day.repeated).toBeGreaterThan(8);
      expect(day.delivered).toBeGreaterThan(40);
      await day.expectEqual();

      await garble();
      for (const tenant of day.tenants) {
        expect(await reportedSums(tenant.id)).not.toEqual(await journalOf(tenant));
        await tenant.stub().startRebuild(PLATFORM);
      }
      await day.settleDown();
      for (const tenant of day.tenants) {
        const { rebuild } = await standingOf(tenant.id);
        expect(rebuild?.phase).toBe("done");
      }
      await day.expectEqual();
    },
  );
});

/** Over all hours: by the end of their names. */
function sumsOver(sums: Record<string, number>): Record<string, number> {
  const over = (end: string): number =>
    Object.entries(sums).reduce((sum, [name, one]) => sum + (name.endsWith(end) ? one : 0), 0);
  return {
    calls: over(" calls"),
    quota: over(" quota"),
    granted: over(" granted"),
    overage: over(" overage"),
    adjusted: over(" adjusted"),
    used: over(" µN") - over("users' µN"),
  };
}

const statedSums = ({ totals }: Reply["body"]): Record<string, number> => ({
  calls: totals.calls,
  quota: totals.quota_micro_neurons,
  granted: totals.granted_micro_neurons,
  overage: totals.overage_micro_neurons,
  adjusted: totals.adjusted_micro_neurons,
  used: totals.used_micro_neurons,
});

const journalOf = async (tenant: ATenant): Promise<Record<string, number>> =>
  journalSums(await tenant.lines(), await rows(tenant.id, "SELECT * FROM adjustments"));

/** Rows that are wrong and claim to be the newest, rows that are gone, rows of nothing. */
async function garble(): Promise<void> {
  const statements = [
    "UPDATE usage_hours SET micro_neurons = micro_neurons + 1, sequence = 9007199254740991",
    "DELETE FROM usage_hours WHERE hour % 3 = 0",
    "UPDATE call_hours SET calls = 1, sequence = 9007199254740991 WHERE hour % 2 = 0",
    "DELETE FROM user_days",
    `INSERT INTO usage_hours SELECT tenant, life, hour + 1000, model, engine, priced_as, task, 1, 1,
      1, 1, units, 1, 0, 0, 0, 0, latency, 1 FROM usage_hours LIMIT 5`,
    `INSERT INTO ended_lives SELECT DISTINCT tenant, life, 0 FROM call_hours`,
  ];
  await env.REPORTS.batch(statements.map((statement) => env.REPORTS.prepare(statement)));
}
