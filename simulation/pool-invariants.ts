import { dayOf } from "../src/domain/ledger/period.ts";
import type { SimulatedTenant } from "./pool-tenant.ts";
import type { SimulatedAccount } from "./simulated-account.ts";
import { readRows } from "./tenant-rows.ts";

// The invariants of an account and its tenants after every step, read from the rows of all of them.
// Nothing here trusts the memory of any of them.

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
  seq: number;
  asked_at_ms: number;
};

/** The account's settings, as the world set them. */
export interface PoolTerms {
  /** The pool in µN a day. */
  readonly size: number;
  /** Units a minute of the only rate class that calls use. */
  readonly rate: number;
  readonly rateClass: string;
  readonly holdShare: number;
  readonly unspentShare: number;
  /** Floors in µN by tenant. */
  readonly floors: ReadonlyMap<string, number>;
}

/** The longest life of a permit. */
const PERMITS_MS = 6_000;

/** A count of permits covers a period; it counts until 70 s after its start: ten seconds and the minute. */
const PERIOD_MS = 5_000;
const WRITTEN_MS = 70_000;

/** A tenant that last asked longer ago does not count as wanting more. */
const ASKING_MS = 60_000;

type LeaseRow = { day: number; granted: number; deadline_ms: number };

export class PoolInvariants {
  readonly #account: SimulatedAccount;
  readonly #tenants: readonly SimulatedTenant[];
  readonly #terms: PoolTerms;
  #shares: readonly ShareRow[] = [];
  #cappedMs: number | null = null;
  /** When each call was first seen in the rows, with its units. */
  readonly #admitted = new Map<string, { readonly atMs: number; readonly units: number }>();

  constructor(account: SimulatedAccount, tenants: readonly SimulatedTenant[], terms: PoolTerms) {
    this.#account = account;
    this.#tenants = tenants;
    this.#terms = terms;
  }

  /** The largest hold of one call that this tenant may have. */
  mostHeld({ id }: SimulatedTenant): number {
    const { size, holdShare, floors } = this.#terms;
    return Math.max(Math.floor(size * holdShare), floors.get(id) ?? 0);
  }

  /** What is not charged yet, and not kept for others, whatever the account has heard of it. */
  reachable(tenant: SimulatedTenant, day: number): number {
    const others = this.#tenants
      .filter(({ id }) => id !== tenant.id)
      .map((other) => Math.max(this.#charged(other, day), this.#terms.floors.get(other.id) ?? 0));
    const own = this.#charged(tenant, day);
    return this.#terms.size - own - others.reduce((sum, one) => sum + one, 0);
  }

  /** µN of a day that are not charged yet. */
  unspent(day: number): number {
    return this.#tenants.reduce((left, one) => left - this.#charged(one, day), this.#terms.size);
  }

  #charged(tenant: SimulatedTenant, day: number): number {
    return journal(tenant)
      .filter((row) => row.day === day && row.outcome !== "pending")
      .reduce((sum, row) => sum + weight(row), 0);
  }

  /** µN of a day that this tenant has used or holds. */
  used(tenant: SimulatedTenant, day: number): number {
    return journal(tenant)
      .filter((row) => row.day === day)
      .reduce((sum, row) => sum + weight(row), 0);
  }

  /** µN that engines used beyond the holds, of all tenants. */
  overruns(): number {
    return this.#tenants.flatMap(journal).reduce((sum, { overrun }) => sum + overrun, 0);
  }

  check(unitsOf: (callId: string) => number): void {
    const rows = this.#tenants.map((tenant) => ({ tenant, lines: journal(tenant) }));
    const lines = rows.flatMap((one) => one.lines);
    const shares = this.#readShares();
    for (const share of shares) this.#shareOfUnspent(share, shares);
    this.#shares = shares;
    for (const day of new Set(lines.map((line) => line.day))) {
      const of = lines.filter((line) => line.day === day);
      const overrun = of.reduce((sum, line) => sum + line.overrun, 0) + this.#unleased(of);
      const admitted = of.reduce((sum, line) => sum + weight(line), 0) - overrun;
      if (admitted > this.#terms.size)
        throw new Error(`${admitted} µN admitted out of ${this.#terms.size}`);
      const claims = shares
        .filter((share) => share.day === day)
        .reduce((sum, share) => sum + Math.max(share.granted, share.spent + share.pending), 0);
      if (claims > this.#terms.size + overrun)
        throw new Error(`${claims} µN leased of ${this.#terms.size}`);
    }
    this.#unleasedInTime();
    this.#closedOnce();
    for (const one of rows) this.#holds(one.tenant, one.lines);
    for (const one of rows) this.#leased(one.tenant, one.lines, shares);
    this.#rates(lines, unitsOf);
  }

  /** Records since when a cap is in force; null: there is none. */
  capped(sinceMs: number | null): void {
    this.#cappedMs = sinceMs;
  }

  /** The holds of calls that were admitted while there was no pool to lease from. */
  #unleased(lines: readonly JournalRow[]): number {
    const isUnleased = ({ id }: JournalRow) =>
      this.#tenants.some(({ unleased }) => unleased.has(id));
    return lines.filter(isUnleased).reduce((sum, { held }) => sum + held, 0);
  }

  /** A tenant knows of a first cap before it gets its next permits. */
  #unleasedInTime(): void {
    const sinceMs = this.#cappedMs;
    if (sinceMs === null) return;
    for (const { id, unleased } of this.#tenants) {
      for (const atMs of unleased.values()) {
        if (atMs <= sinceMs + PERMITS_MS) continue;
        throw new Error(`${id} admitted without a lease ${atMs - sinceMs} ms after the cap`);
      }
    }
  }

  /** A day is closed again only after something gave relief. */
  #closedOnce(): void {
    const closings = this.#account
      .events()
      .filter(({ type }) => type === "account.closed")
      .map(({ data, relief }) => `${JSON.stringify(data["day"])} after ${relief}`);
    const twice = closings.find((one, at) => closings.indexOf(one) < at);
    if (twice !== undefined) throw new Error(`closed twice: ${twice}`);
  }

  isClosed(): boolean {
    return this.#account.pool.read().closure !== null;
  }

  /** A tenant that knew that the day was closed also knows that it is open again. */
  noneWaitsForAnOpenDay(): void {
    if (this.isClosed()) return;
    for (const tenant of this.#tenants) {
      const own = tenant.transact(() => tenant.stores.ledger.closure());
      if (own === null || own.day !== dayOf(this.#account.wallMs)) continue;
      throw new Error(`${tenant.id} is closed ${JSON.stringify(own)}, and the account is not`);
    }
  }

  #holds(tenant: SimulatedTenant, lines: readonly JournalRow[]): void {
    const most = this.mostHeld(tenant);
    const above = lines.find(({ id, held }) => held > most && !tenant.unleased.has(id));
    if (above !== undefined) throw new Error(`${tenant.id} holds ${above.held} of at most ${most}`);
  }

  /**
   * After a new grant the tenant has no more unspent than its share, if another tenant had asked before.
   * The charges of others are taken from before the step, so that the check is not too strict.
   */
  #shareOfUnspent(share: ShareRow, all: readonly ShareRow[]): void {
    const { size, unspentShare, floors } = this.#terms;
    const before = this.#shares.find((one) => one.day === share.day && one.tenant === share.tenant);
    if (share.granted <= (before?.granted ?? 0)) return;
    if (share.granted <= Math.max(share.spent + share.pending, floors.get(share.tenant) ?? 0))
      return;
    // Use without a lease is a part of the tenant's allowance, and is given back on request.
    const own = this.#tenants.filter(({ id }) => id === share.tenant).flatMap(journal);
    if (this.#unleased(own.filter(({ day }) => day === share.day)) > 0) return;
    const others = all.filter((one) => one.day === share.day && one.tenant !== share.tenant);
    const isWanted = others.some(
      ({ asked_at_ms: atMs }) => atMs < share.asked_at_ms && atMs > share.asked_at_ms - ASKING_MS,
    );
    if (!isWanted) return;
    const taken = this.#tenants
      .filter(({ id }) => id !== share.tenant)
      .map(({ id }) => {
        const known = this.#shares.find((one) => one.day === share.day && one.tenant === id);
        return Math.max(known?.spent ?? 0, floors.get(id) ?? 0);
      });
    const unspent = size - share.spent - taken.reduce((sum, one) => sum + one, 0);
    const most =
      Math.max(share.spent, floors.get(share.tenant) ?? 0) + unspentShare * Math.max(0, unspent);
    if (share.granted > most) {
      throw new Error(`${share.tenant} was granted ${share.granted} of at most ${most}`);
    }
  }

  /** A tenant has only what the account wrote down, and admits only what it has. */
  #leased(
    tenant: SimulatedTenant,
    lines: readonly JournalRow[],
    shares: readonly ShareRow[],
  ): void {
    const leases = readRows(
      tenant.db,
      "SELECT day, granted, deadline_ms FROM leases",
    ) as LeaseRow[];
    for (const { day, granted } of leases) {
      const share = shares.find((each) => each.day === day && each.tenant === tenant.id);
      if (granted > (share?.granted ?? 0)) {
        throw new Error(`${tenant.id} has ${granted} µN and was granted ${share?.granted}`);
      }
      // After a day has ended and was reported, only the account has its figures.
      if (day !== dayOf(tenant.wallMs)) continue;
      const of = lines.filter((line) => line.day === day);
      const overrun = of.reduce((sum, line) => sum + line.overrun, 0) + this.#unleased(of);
      const admitted = of.reduce((sum, line) => sum + weight(line), 0) - overrun;
      if (admitted > granted) throw new Error(`${tenant.id} admitted ${admitted} of ${granted}`);
    }
  }

  /** Checks rates by the account's clock, which differs from the world's by a constant. */
  #rates(lines: readonly JournalRow[], unitsOf: (callId: string) => number): void {
    const atMs = this.#account.wallMs;
    const fresh = lines.filter(({ id }) => !this.#admitted.has(id));
    for (const { id } of fresh) this.#admitted.set(id, { atMs, units: unitsOf(id) });
    if (fresh.length === 0) return;
    const units = [...this.#admitted.values()]
      .filter((one) => one.atMs > atMs - WINDOW_MS)
      .reduce((sum, one) => sum + one.units, 0);
    if (units > this.#terms.rate)
      throw new Error(`${units} units in a minute of ${this.#terms.rate}`);
    const written = this.#written(atMs);
    if (units > written) throw new Error(`${units} units in a minute, ${written} are written down`);
    for (const tenant of this.#tenants) {
      const own = new Set(journal(tenant).map(({ id }) => id));
      const isLeased = (id: string) => own.has(id) && !tenant.unleased.has(id);
      if (fresh.some(({ id }) => isLeased(id))) this.#inTime(tenant);
    }
  }

  /** Units that the account would count as used if it crashed now. */
  #written(atMs: number): number {
    return this.#account.db
      .run<{ period: number; units: string }>("SELECT period, units FROM rate_bounds")
      .filter(({ period }) => period * PERIOD_MS + WRITTEN_MS > atMs)
      .map(({ units }) => JSON.parse(units) as Record<string, number>)
      .reduce((sum, units) => sum + (units[this.#terms.rateClass] ?? 0), 0);
  }

  /** What was admitted just now was so before the end of its lease, by the account's clock too. */
  #inTime(tenant: SimulatedTenant): void {
    const [latest] = readRows(
      tenant.db,
      "SELECT day, granted, deadline_ms FROM leases ORDER BY day DESC LIMIT 1",
    ) as LeaseRow[];
    if (latest !== undefined && this.#account.wallMs >= latest.deadline_ms) {
      throw new Error(`${tenant.id} admitted after the end of its lease`);
    }
  }

  /** Checks the rows when all messages have arrived and nothing is in progress. */
  atRest(): void {
    for (const share of this.#readShares()) {
      const { tenant: id, day, granted, spent, pending } = share;
      const tenant = this.#tenants.find((each) => each.id === id);
      if (tenant === undefined) throw new Error(`there is no ${id}`);
      const used = this.used(tenant, day);
      // For a day without a lease the account knows the amount spent at the tenant's last message.
      if (share.seq === 0 && spent <= used) continue;
      if (spent !== used || granted > used || pending !== 0) {
        throw new Error(`at rest ${id} used ${used} and has ${JSON.stringify(share)}`);
      }
    }
  }

  #readShares(): readonly ShareRow[] {
    return this.#account.db.run<ShareRow>(
      "SELECT day, tenant, granted, spent, pending, seq, asked_at_ms FROM pool_shares",
    );
  }
}

const journal = (tenant: SimulatedTenant): readonly JournalRow[] =>
  readRows(
    tenant.db,
    "SELECT id, day, outcome, held, quota + granted + overage AS charged, overrun FROM journal",
  ) as JournalRow[];

/** The amount that a row takes of the pool in µN. */
const weight = ({ outcome, held, charged, overrun }: JournalRow): number =>
  outcome === "pending" ? held : charged + overrun;
