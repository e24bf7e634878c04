import { dayOf } from "../src/domain/period.ts";
import type { AccountNode, TenantNode } from "./pool-nodes.ts";

// What must hold of an account and its tenants after every step, read from the rows of all of them:
// nothing here trusts what any of them thinks.

const WINDOW_MS = 60_000;

type JournalRow = {
  id: string;
  day: number;
  outcome: string;
  held: number;
  charged: number;
  overrun: number;
};

type ShareRow = {
  day: number;
  tenant: string;
  granted: number;
  spent: number;
  pending: number;
};

type LeaseRow = { day: number; granted: number; deadline_ms: number };

export class PoolInvariants {
  readonly #account: AccountNode;
  readonly #tenants: readonly TenantNode[];
  /** µN of a day. */
  readonly #size: number;
  readonly #rate: number;
  /** When each call was first seen in the rows, with its units. */
  readonly #admitted = new Map<string, { readonly atMs: number; readonly units: number }>();

  constructor(
    account: AccountNode,
    tenants: readonly TenantNode[],
    limits: { readonly size: number; readonly rate: number },
  ) {
    this.#account = account;
    this.#tenants = tenants;
    this.#size = limits.size;
    this.#rate = limits.rate;
  }

  /** µN of a day that this tenant has used or holds. */
  used(tenant: TenantNode, day: number): number {
    return journal(tenant)
      .filter((row) => row.day === day)
      .reduce((sum, row) => sum + weight(row), 0);
  }

  /** What engines used beyond what was held, of all tenants. */
  overruns(): number {
    return this.#tenants.flatMap(journal).reduce((sum, { overrun }) => sum + overrun, 0);
  }

  check(unitsOf: (callId: string) => number): void {
    const rows = this.#tenants.map((tenant) => ({ tenant, lines: journal(tenant) }));
    const lines = rows.flatMap((one) => one.lines);
    const shares = this.#shares();
    for (const day of new Set(lines.map((line) => line.day))) {
      const of = lines.filter((line) => line.day === day);
      const overrun = of.reduce((sum, line) => sum + line.overrun, 0);
      const admitted = of.reduce((sum, line) => sum + weight(line), 0) - overrun;
      if (admitted > this.#size) throw new Error(`${admitted} µN admitted out of ${this.#size}`);
      const claims = shares
        .filter((share) => share.day === day)
        .reduce((sum, share) => sum + Math.max(share.granted, share.spent + share.pending), 0);
      if (claims > this.#size + overrun) throw new Error(`${claims} µN leased of ${this.#size}`);
    }
    for (const one of rows) this.#covered(one.tenant, one.lines, shares);
    this.#rates(lines, unitsOf);
  }

  /** A tenant has only what the account wrote down, and admits only what it has. */
  #covered(tenant: TenantNode, lines: readonly JournalRow[], shares: readonly ShareRow[]): void {
    const leases = tenant.db.run<LeaseRow>("SELECT day, granted, deadline_ms FROM leases");
    for (const { day, granted } of leases) {
      const share = shares.find((each) => each.day === day && each.tenant === tenant.id);
      if (granted > (share?.granted ?? 0)) {
        throw new Error(`${tenant.id} has ${granted} µN and was granted ${share?.granted}`);
      }
      // A day that is over and was told is known to the account alone.
      if (day !== dayOf(tenant.wallMs)) continue;
      const of = lines.filter((line) => line.day === day);
      const overrun = of.reduce((sum, line) => sum + line.overrun, 0);
      const admitted = of.reduce((sum, line) => sum + weight(line), 0) - overrun;
      if (admitted > granted) throw new Error(`${tenant.id} admitted ${admitted} of ${granted}`);
    }
  }

  /** By the account's clock, which is the world's but for a constant. */
  #rates(lines: readonly JournalRow[], unitsOf: (callId: string) => number): void {
    const atMs = this.#account.wallMs;
    const fresh = lines.filter(({ id }) => !this.#admitted.has(id));
    for (const { id } of fresh) this.#admitted.set(id, { atMs, units: unitsOf(id) });
    if (fresh.length === 0) return;
    const units = [...this.#admitted.values()]
      .filter((one) => one.atMs > atMs - WINDOW_MS)
      .reduce((sum, one) => sum + one.units, 0);
    if (units > this.#rate) throw new Error(`${units} units in a minute of ${this.#rate}`);
    for (const tenant of this.#tenants) {
      const own = new Set(journal(tenant).map(({ id }) => id));
      if (fresh.some(({ id }) => own.has(id))) this.#inTime(tenant);
    }
  }

  /** What was admitted just now was so before the end of its lease, by the account's clock too. */
  #inTime(tenant: TenantNode): void {
    const latest = tenant.db.run<LeaseRow>(
      "SELECT day, granted, deadline_ms FROM leases ORDER BY day DESC LIMIT 1",
    )[0];
    if (latest !== undefined && this.#account.wallMs >= latest.deadline_ms) {
      throw new Error(`${tenant.id} admitted after the end of its lease`);
    }
  }

  /** Once everybody was heard and nothing is in progress. */
  atRest(): void {
    for (const share of this.#shares()) {
      const { tenant: id, day, granted, spent, pending } = share;
      const tenant = this.#tenants.find((each) => each.id === id);
      if (tenant === undefined) throw new Error(`there is no ${id}`);
      const used = this.used(tenant, day);
      if (spent !== used || granted > used || pending !== 0) {
        throw new Error(`at rest ${id} used ${used} and has ${JSON.stringify(share)}`);
      }
    }
    const open = this.#account.act((desk) => desk.view().closure);
    for (const tenant of this.#tenants) {
      const own = tenant.step(() => tenant.parts.ledger.closure());
      if (JSON.stringify(own) !== JSON.stringify(open)) {
        throw new Error(`at rest ${tenant.id} is closed ${JSON.stringify(own)}`);
      }
    }
  }

  #shares(): readonly ShareRow[] {
    return this.#account.db.run<ShareRow>(
      "SELECT day, tenant, granted, spent, pending FROM pool_shares",
    );
  }
}

const journal = (tenant: TenantNode): readonly JournalRow[] =>
  tenant.db.run<JournalRow>(
    `SELECT id, day, outcome, held, quota + granted + overage AS charged, overrun FROM journal`,
  );

/** What a row takes of the pool. */
const weight = ({ outcome, held, charged, overrun }: JournalRow): number =>
  outcome === "pending" ? held : charged + overrun;
