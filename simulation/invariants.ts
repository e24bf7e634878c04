import { dayOf } from "../src/domain/ledger/period.ts";
import type { RateUnits } from "../src/domain/ledger/rate-limit.ts";
import type { CrashingDatabase } from "./crashing-database.ts";
import { checkFolded } from "./fold-invariants.ts";
import { checkAdjustments, checkDraws, grantedFor } from "./grant-invariants.ts";
import { chargedIn, type Line, TenantRows, weight } from "./tenant-rows.ts";

// The invariants that must hold after every step, read from the rows alone. Nothing here trusts the code
// under test or its memory.

const WINDOW_MS = 60_000;
const DAY_MS = 86_400_000;

/** Terms that did not change in the whole of a history. */
export interface Steady {
  readonly plan: "free" | "paid";
  /** µN. */
  readonly daily: number;
  readonly cap: number | null;
}

/** The limits in force when a call was admitted, as the world set them. */
export interface InForce {
  /** µN, without grants; null: no limit. */
  readonly limit: number | null;
  readonly daily: number;
  /** µN; null: no cap. */
  readonly monthlyCap: number | null;
  readonly rates: RateUnits;
  readonly units: RateUnits;
}

export class Invariants {
  readonly #rows: TenantRows;
  /** The state of the last check: the version of the rows, and the numbers of replies and keys. */
  #checked = "";
  /** Ended lines as they were first seen. */
  readonly #ended = new Map<string, string>();
  /** Calls whose settlement was confirmed to a client, with the verdict in the reply. */
  readonly #confirmed = new Map<string, string | null>();
  readonly #admitted = new Map<string, RateUnits>();
  /** The idempotency key of a call, if its client sent one. */
  readonly #keys = new Map<string, string>();

  constructor(db: CrashingDatabase) {
    this.#rows = new TenantRows(db);
  }

  /** Records a client's reply. Its call must be found for ever. */
  confirmed(callId: string, verdictId: string | null): void {
    this.#confirmed.set(callId, verdictId);
  }

  /** Records a call's idempotency key. At most one call with the same key may be charged. */
  keyed(callId: string, key: string): void {
    this.#keys.set(callId, key);
  }

  /** Checks an admission in the rows, whether or not a client got the reply. */
  admission(callId: string, force: InForce): void {
    const lines = this.#rows.lines();
    const line = lines.find(({ id }) => id === callId);
    if (line === undefined || this.#admitted.has(callId)) return;
    // A call that is answered with an earlier verdict runs no engine.
    const { requests = 0 } = force.units;
    const taken = line.items === "[]" ? { requests } : force.units;
    this.#admitted.set(callId, taken);
    const sameDay = lines.filter(({ day }) => day === line.day);
    const used =
      sameDay.reduce((sum, each) => sum + weight(each), 0) - this.#rows.back(line.day).amount;
    const granted = grantedFor(this.#rows, line, force.daily);
    if (force.limit !== null && used > force.limit + granted) {
      throw new Error(`1: ${used} µN after an admission under ${force.limit} + ${granted}`);
    }
    const month = monthNameOf(line.day);
    const days = [...new Set(lines.map(({ day }) => day))].filter((d) => monthNameOf(d) === month);
    const ofMonth =
      lines.filter(({ day }) => days.includes(day)).reduce((sum, each) => sum + weight(each), 0) -
      days.reduce((sum, day) => sum + this.#rows.back(day).amount, 0);
    if (force.monthlyCap !== null && ofMonth > force.monthlyCap) {
      throw new Error(`1: ${ofMonth} µN of ${month} after an admission under ${force.monthlyCap}`);
    }
    for (const [name, limit] of Object.entries(force.rates)) {
      if (!Object.hasOwn(taken, name)) continue;
      const units = lines
        .filter((each) => each.admitted_at_ms > line.admitted_at_ms - WINDOW_MS)
        .reduce((sum, each) => sum + (this.#admitted.get(each.id)?.[name] ?? 0), 0);
      if (units > limit) throw new Error(`4: ${units} ${name} in a minute under ${limit}`);
    }
  }

  /** Checks all invariants after a step. `nowMs` is the latest time that the clock has shown. */
  check(nowMs: number, steady: Steady | null): void {
    // A step that changed no row needs no check.
    const state = `${this.#rows.version} ${this.#confirmed.size} ${this.#keys.size}`;
    if (state === this.#checked) return;
    this.#checked = state;
    const lines = this.#rows.lines();
    for (const line of lines) {
      if (line.day !== dayOf(line.admitted_at_ms)) throw new Error(`${line.id}: in another day`);
      if (line.admitted_at_ms > nowMs) throw new Error(`${line.id}: admitted in the future`);
      if (line.outcome !== "pending") this.#unchanged(line);
    }
    this.#sums(lines);
    checkDraws(this.#rows);
    checkAdjustments(this.#rows);
    if (steady !== null) this.#asPromised(lines, steady);
    this.#once(lines);
    this.#kept(lines);
    const [broken] = this.#rows.of("SELECT name FROM violations") as readonly { name: string }[];
    if (broken !== undefined)
      throw new Error(`the object itself found that ${broken.name} is broken`);
  }

  #unchanged(line: Line): void {
    // A late settle adds its verdict to the expired line.
    const now = JSON.stringify({ ...line, verdict_id: null });
    const before = this.#ended.get(line.id);
    if (before !== undefined) {
      if (before !== now) throw new Error(`3: ${line.id} changed`);
      return;
    }
    this.#ended.set(line.id, now);
    const charged = chargedIn(line);
    const items = JSON.parse(line.items) as unknown[][];
    const ofItems = items.reduce((sum, item) => sum + Number(item[9]), 0);
    if (charged > line.held) throw new Error(`${line.id}: charged above its hold`);
    if (charged !== ofItems)
      throw new Error(`${line.id}: items add up to ${ofItems}, not ${charged}`);
    if (line.outcome === "voided" && charged !== 0)
      throw new Error(`${line.id}: voided and charged`);
    if (line.outcome === "expired" && charged !== line.held) {
      throw new Error(`${line.id}: expired for less than was held`);
    }
  }

  /** Under steady terms no day has more than its quota included, and no more overage than its cap. */
  #asPromised(lines: readonly Line[], { plan, daily, cap }: Steady): void {
    for (const day of new Set(lines.map((line) => line.day))) {
      const of = lines.filter((line) => line.day === day);
      const back = this.#rows.back(day);
      const quota = of.reduce((sum, line) => sum + line.quota, 0) - back.quota;
      const overage = of.reduce((sum, line) => sum + line.overage, 0) - back.overage;
      if (quota > daily) throw new Error(`1: ${quota} µN included in a quota of ${daily}`);
      const most = plan === "free" ? 0 : (cap ?? Infinity);
      if (overage > most) throw new Error(`1: ${overage} µN of overage under a cap of ${most}`);
    }
  }

  #once(lines: readonly Line[]): void {
    const taken = new Set<string>();
    for (const { id, outcome } of lines) {
      const key = this.#keys.get(id);
      if (key === undefined || outcome === "voided") continue;
      if (taken.has(key)) throw new Error(`2: ${key} is held or charged twice`);
      taken.add(key);
    }
  }

  /** Checks the rows of the reports, after the whole journal was folded. */
  folded(): void {
    checkFolded(this.#rows);
  }

  #sums(lines: readonly Line[]): void {
    const periods = this.#rows.of("SELECT day, posted FROM periods") as readonly {
      day: number;
      posted: number;
    }[];
    const posted = new Map(periods.map(({ day, posted: amount }) => [day, amount]));
    const sums = new Map<number, number>();
    for (const line of lines) sums.set(line.day, (sums.get(line.day) ?? 0) + chargedIn(line));
    for (const [day, charged] of sums) {
      const sum = charged - this.#rows.back(day).amount;
      if (sum !== (posted.get(day) ?? 0)) {
        throw new Error(`3: lines of day ${day} add up to ${sum}, posted is ${posted.get(day)}`);
      }
    }
  }

  #kept(lines: readonly Line[]): void {
    if (this.#confirmed.size === 0) return;
    const ended = new Set(lines.flatMap(({ id, outcome }) => (outcome === "pending" ? [] : [id])));
    const verdicts = new Set(
      (this.#rows.of("SELECT id FROM verdicts") as readonly { id: string }[]).map(({ id }) => id),
    );
    for (const [callId, verdictId] of this.#confirmed) {
      // An id is the table's key: one line, or none.
      if (!ended.has(callId)) throw new Error(`2: ${callId} was confirmed and has no line`);
      if (verdictId !== null && !verdicts.has(verdictId)) {
        throw new Error(`6: verdict ${verdictId} was returned and is not stored`);
      }
    }
  }
}

const monthNameOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 7);
