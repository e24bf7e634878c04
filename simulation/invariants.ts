import { dayOf } from "../src/domain/ledger/period.ts";
import type { Database, SqlValue } from "../durable-objects/database.ts";
import type { RateUnits } from "../src/domain/ledger/rate-limit.ts";
import type { CrashingDatabase } from "./crashing-database.ts";

// The invariants that must hold after every step, read from the rows alone. Nothing here trusts the code
// under test or its memory.

type SqlRow = Record<string, SqlValue>;

const WINDOW_MS = 60_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const USAGE_FIELDS = [
  ["microNeurons", "µN"],
  ["engineRequests", "requests"],
] as const;
const CALL_FIELDS = (
  ["calls", "posted", "voided", "expired", "quota", "granted", "overage", "adjusted"] as const
).map((field) => [field, field] as const);

type Row = {
  id: string;
  day: number;
  outcome: "pending" | "posted" | "voided" | "expired";
  admitted_at_ms: number;
  settled_at_ms: number | null;
  held: number;
  quota: number;
  granted: number;
  overage: number;
  overage_rate: string | null;
  items: string;
  grants: string | null;
  verdict_id: string | null;
  verdicts: string | null;
};

type GrantRow = {
  id: string;
  amount: number;
  drawn: number;
  expires_at_ms: number;
  ended_at_ms: number | null;
};

type AdjustmentRow = {
  adjusts: string;
  day: number;
  admitted_at_ms: number;
  amount: number;
  quota: number;
  granted: number;
  overage: number;
  grants: string | null;
};

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
  readonly #db: CrashingDatabase;
  /** Rows by statement, kept until a row may have changed. */
  readonly #read = new Map<string, readonly SqlRow[]>();
  #readAt = -1;
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
    this.#db = db;
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
    const rows = this.#rows();
    const row = rows.find(({ id }) => id === callId);
    if (row === undefined || this.#admitted.has(callId)) return;
    // A call that is answered with an earlier verdict runs no engine.
    const { requests = 0 } = force.units;
    const taken = row.items === "[]" ? { requests } : force.units;
    this.#admitted.set(callId, taken);
    const sameDay = rows.filter(({ day }) => day === row.day);
    const used = sameDay.reduce((sum, each) => sum + weight(each), 0) - this.#back(row.day).amount;
    const granted = this.#granted(rows, row, force.daily);
    if (force.limit !== null && used > force.limit + granted) {
      throw new Error(`1: ${used} µN after an admission under ${force.limit} + ${granted}`);
    }
    const month = monthNameOf(row.day);
    const days = [...new Set(rows.map(({ day }) => day))].filter((d) => monthNameOf(d) === month);
    const ofMonth =
      rows.filter(({ day }) => days.includes(day)).reduce((sum, each) => sum + weight(each), 0) -
      days.reduce((sum, day) => sum + this.#back(day).amount, 0);
    if (force.monthlyCap !== null && ofMonth > force.monthlyCap) {
      throw new Error(`1: ${ofMonth} µN of ${month} after an admission under ${force.monthlyCap}`);
    }
    for (const [name, limit] of Object.entries(force.rates)) {
      if (!Object.hasOwn(taken, name)) continue;
      const units = rows
        .filter((each) => each.admitted_at_ms > row.admitted_at_ms - WINDOW_MS)
        .reduce((sum, each) => sum + (this.#admitted.get(each.id)?.[name] ?? 0), 0);
      if (units > limit) throw new Error(`4: ${units} ${name} in a minute under ${limit}`);
    }
  }

  /** µN of grants for the day of a call: drawn by that day, and left, minus the holds of older days. */
  #granted(rows: readonly Row[], { day, admitted_at_ms: atMs }: Row, daily: number): number {
    const drew = rows.reduce((sum, row) => sum + (row.day === day ? row.granted : 0), 0);
    const gave = drew - this.#back(day).granted;
    const left = this.#grants()
      .filter((grant) => atMs < Math.min(grant.expires_at_ms, grant.ended_at_ms ?? Infinity))
      .reduce((sum, { amount, drawn }) => sum + amount - drawn, 0);
    const before = new Set(rows.map((row) => row.day).filter((each) => each < day));
    const promised = [...before].reduce((sum, each) => {
      const of = rows.filter((row) => row.day === each);
      const quota = of.reduce((total, row) => total + row.quota, 0) - this.#back(each).quota;
      const held = of.reduce((total, row) => total + pendingIn(row), 0);
      return sum + Math.max(0, held - Math.max(0, daily - quota));
    }, 0);
    return gave + Math.max(0, left - promised);
  }

  #rowsOf(statement: string): readonly SqlRow[] {
    if (this.#readAt !== this.#db.version) {
      this.#read.clear();
      this.#readAt = this.#db.version;
    }
    const known = this.#read.get(statement);
    if (known !== undefined) return known;
    const rows = readRows(this.#db, statement);
    this.#read.set(statement, rows);
    return rows;
  }

  #adjustments(): readonly AdjustmentRow[] {
    return this.#rowsOf(
      "SELECT adjusts, day, admitted_at_ms, amount, quota, granted, overage, grants FROM adjustments",
    ) as readonly AdjustmentRow[];
  }

  /** The amounts of a day that adjustments gave back. */
  #back(day: number): Omit<AdjustmentRow, "adjusts" | "admitted_at_ms" | "grants"> {
    const of = this.#adjustments().filter((made) => made.day === day);
    const sum = (part: "amount" | "quota" | "granted" | "overage"): number =>
      of.reduce((total, made) => total + made[part], 0);
    return {
      day,
      amount: sum("amount"),
      quota: sum("quota"),
      granted: sum("granted"),
      overage: sum("overage"),
    };
  }

  /** No line gives back more of a part than it was charged, and overage is given back first. */
  #adjusted(rows: readonly Row[]): void {
    for (const [id, made] of Map.groupBy(this.#adjustments(), ({ adjusts }) => adjusts)) {
      const row = rows.find((each) => each.id === id);
      if (row === undefined || row.outcome === "pending") throw new Error(`${id}: adjusted`);
      // In the reverse order of the draws.
      let isLeft = false;
      for (const part of ["overage", "granted", "quota"] as const) {
        const back = made.reduce((sum, each) => sum + each[part], 0);
        if (back > row[part]) throw new Error(`${id}: ${back} of ${row[part]} ${part} given back`);
        if (back > 0 && isLeft) throw new Error(`${id}: ${part} given back before what came after`);
        isLeft ||= back < row[part];
      }
    }
  }

  #grants(): readonly GrantRow[] {
    return this.#rowsOf(
      "SELECT id, amount, drawn, expires_at_ms, ended_at_ms FROM grants",
    ) as readonly GrantRow[];
  }

  /** Checks all invariants after a step. `nowMs` is the latest time that the clock has shown. */
  check(nowMs: number, steady: Steady | null): void {
    // A step that changed no row needs no check.
    const state = `${this.#db.version} ${this.#confirmed.size} ${this.#keys.size}`;
    if (state === this.#checked) return;
    this.#checked = state;
    const rows = this.#rows();
    for (const row of rows) {
      if (row.day !== dayOf(row.admitted_at_ms)) throw new Error(`${row.id}: in another day`);
      if (row.admitted_at_ms > nowMs) throw new Error(`${row.id}: admitted in the future`);
      if (row.outcome !== "pending") this.#unchanged(row);
    }
    this.#sums(rows);
    this.#draws(rows);
    this.#adjusted(rows);
    if (steady !== null) this.#asPromised(rows, steady);
    this.#once(rows);
    this.#kept(rows);
    const [broken] = this.#rowsOf("SELECT name FROM violations") as readonly { name: string }[];
    if (broken !== undefined)
      throw new Error(`the object itself found that ${broken.name} is broken`);
  }

  #unchanged(row: Row): void {
    // A late settle adds its verdict to the expired line.
    const now = JSON.stringify({ ...row, verdict_id: null });
    const before = this.#ended.get(row.id);
    if (before !== undefined) {
      if (before !== now) throw new Error(`3: ${row.id} changed`);
      return;
    }
    this.#ended.set(row.id, now);
    const charged = chargedIn(row);
    const items = JSON.parse(row.items) as unknown[][];
    const ofItems = items.reduce((sum, item) => sum + Number(item[9]), 0);
    if (charged > row.held) throw new Error(`${row.id}: charged above its hold`);
    if (charged !== ofItems)
      throw new Error(`${row.id}: items add up to ${ofItems}, not ${charged}`);
    if (row.outcome === "voided" && charged !== 0) throw new Error(`${row.id}: voided and charged`);
    if (row.outcome === "expired" && charged !== row.held) {
      throw new Error(`${row.id}: expired for less than was held`);
    }
  }

  /** A grant's `drawn` is the sum of the lines' draws. Only calls admitted while it was open draw on it. */
  #draws(rows: readonly Row[]): void {
    const left = new Map(this.#grants().map((grant) => [grant.id, { ...grant }]));
    for (const row of rows) {
      const draws = JSON.parse(row.grants ?? "[]") as [string, number][];
      const sum = draws.reduce((total, [, amount]) => total + amount, 0);
      if (sum !== row.granted)
        throw new Error(`${row.id}: granted ${row.granted}, of grants ${sum}`);
      for (const [id, amount] of draws) {
        const grant = left.get(id);
        if (grant === undefined) throw new Error(`${row.id}: draws on ${id}, which is not there`);
        grant.drawn -= amount;
        const ended = grant.ended_at_ms ?? Infinity;
        if (row.admitted_at_ms >= grant.expires_at_ms || row.admitted_at_ms > ended) {
          throw new Error(`${row.id}: draws on ${id}, which had ended`);
        }
      }
    }
    for (const made of this.#adjustments()) {
      for (const [id, amount] of JSON.parse(made.grants ?? "[]") as [string, number][]) {
        const grant = left.get(id);
        if (grant !== undefined) grant.drawn += amount;
      }
    }
    for (const { id, drawn } of left.values()) {
      if (drawn !== 0) throw new Error(`${id}: ${drawn} µN are drawn and on no line`);
    }
  }

  /** Under steady terms no day has more than its quota included, and no more overage than its cap. */
  #asPromised(rows: readonly Row[], { plan, daily, cap }: Steady): void {
    for (const day of new Set(rows.map((row) => row.day))) {
      const of = rows.filter((row) => row.day === day);
      const back = this.#back(day);
      const quota = of.reduce((sum, row) => sum + row.quota, 0) - back.quota;
      const overage = of.reduce((sum, row) => sum + row.overage, 0) - back.overage;
      if (quota > daily) throw new Error(`1: ${quota} µN included in a quota of ${daily}`);
      const most = plan === "free" ? 0 : (cap ?? Infinity);
      if (overage > most) throw new Error(`1: ${overage} µN of overage under a cap of ${most}`);
    }
  }

  #once(rows: readonly Row[]): void {
    const taken = new Set<string>();
    for (const { id, outcome } of rows) {
      const key = this.#keys.get(id);
      if (key === undefined || outcome === "voided") continue;
      if (taken.has(key)) throw new Error(`2: ${key} is held or charged twice`);
      taken.add(key);
    }
  }

  /** Checks, after the whole journal was folded, that the reports' rows hold each line exactly once. */
  folded(): void {
    const journal = new Map<string, number>();
    const add = (name: string, amount: number): void => {
      if (amount !== 0) journal.set(name, (journal.get(name) ?? 0) + amount);
    };
    for (const row of this.#rows()) {
      if (row.outcome === "pending") continue;
      const hour = Math.floor(row.admitted_at_ms / HOUR_MS);
      add(`${hour} calls`, 1);
      add(`${hour} ${row.outcome}`, 1);
      for (const part of ["quota", "granted", "overage"] as const)
        add(`${hour} ${part}`, row[part]);
      for (const [count, amount] of countsIn(row)) add(`${hour} verdicts ${count}`, amount);
      for (const item of JSON.parse(row.items) as unknown[][]) {
        const [, , , model, engine, pricedAs, task, calls, , amount] = item;
        const name = [hour, model === "" ? pricedAs : model, engine ?? "unknown", pricedAs, task];
        add(`${name.join("|")} µN`, Number(amount));
        if (model !== null) add(`${name.join("|")} requests`, Number(calls));
      }
    }
    for (const made of this.#adjustments()) {
      const hour = Math.floor(made.admitted_at_ms / HOUR_MS);
      for (const part of ["quota", "granted", "overage"] as const) {
        add(`${hour} ${part}`, 0 - made[part]);
      }
      add(`${hour} adjusted`, 0 - made.amount);
    }
    const reported = new Map<string, number>();
    for (const { kind, key, body } of this.#reportRows()) {
      const row = JSON.parse(body) as Record<string, unknown>;
      const fields = kind === "usage_hour" ? USAGE_FIELDS : CALL_FIELDS;
      const name = kind === "usage_hour" ? key.replace(/^0+/, "") : String(row["hour"]);
      for (const [field, as] of fields) {
        if (row[field] !== 0) reported.set(`${name} ${as}`, Number(row[field]));
      }
      for (const [count, amount] of Object.entries(row["verdicts"] ?? {})) {
        reported.set(`${name} verdicts ${count}`, Number(amount));
      }
    }
    const all = new Set([...journal.keys(), ...reported.keys()]);
    for (const name of all) {
      if ((journal.get(name) ?? 0) !== (reported.get(name) ?? 0)) {
        throw new Error(`${name}: ${reported.get(name)} folded of ${journal.get(name)}`);
      }
    }
  }

  #reportRows(): readonly { kind: string; key: string; body: string }[] {
    return this.#rowsOf(
      "SELECT kind, key, body FROM report_rows WHERE kind IN ('usage_hour', 'call_hour')",
    ) as readonly { kind: string; key: string; body: string }[];
  }

  #sums(rows: readonly Row[]): void {
    const periods = this.#rowsOf("SELECT day, posted FROM periods") as readonly {
      day: number;
      posted: number;
    }[];
    const posted = new Map(periods.map(({ day, posted: amount }) => [day, amount]));
    const sums = new Map<number, number>();
    for (const row of rows) sums.set(row.day, (sums.get(row.day) ?? 0) + chargedIn(row));
    for (const [day, charged] of sums) {
      const sum = charged - this.#back(day).amount;
      if (sum !== (posted.get(day) ?? 0)) {
        throw new Error(`3: lines of day ${day} add up to ${sum}, posted is ${posted.get(day)}`);
      }
    }
  }

  #kept(rows: readonly Row[]): void {
    if (this.#confirmed.size === 0) return;
    const ended = new Set(rows.flatMap(({ id, outcome }) => (outcome === "pending" ? [] : [id])));
    const verdicts = new Set(
      (this.#rowsOf("SELECT id FROM verdicts") as readonly { id: string }[]).map(({ id }) => id),
    );
    for (const [callId, verdictId] of this.#confirmed) {
      // An id is the table's key: one line, or none.
      if (!ended.has(callId)) throw new Error(`2: ${callId} was confirmed and has no line`);
      if (verdictId !== null && !verdicts.has(verdictId)) {
        throw new Error(`6: verdict ${verdictId} was returned and is not stored`);
      }
    }
  }

  #rows(): readonly Row[] {
    return this.#rowsOf(
      `SELECT id, day, outcome, admitted_at_ms, settled_at_ms, held, quota, granted, overage,
        overage_rate, items, grants, verdict_id, verdicts FROM journal ORDER BY id`,
    ) as readonly Row[];
  }
}

/** The rows of a table; none if it does not exist, since its feature has no row. */
export function readRows(db: Database, select: string): SqlRow[] {
  const table = /FROM (\w+)/.exec(select)?.[1] ?? "";
  const found = db.run("SELECT 1 AS found FROM sqlite_master WHERE name = ?", table);
  return found.length === 0 ? [] : db.run(select);
}

const monthNameOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 7);

const chargedIn = (row: Row): number => row.quota + row.granted + row.overage;

/** The counts of a row's verdicts. An older row has only its verdict's id. */
function countsIn(row: Row): [string, number][] {
  if (row.outcome === "expired") return [];
  const plain = row.verdict_id === null ? {} : { made: 1 };
  const counts =
    row.verdicts === null ? plain : (JSON.parse(row.verdicts) as Record<string, number>);
  const cost = "made" in counts ? [["micro_neurons", chargedIn(row)] as [string, number]] : [];
  return [...Object.entries(counts), ...cost];
}

const pendingIn = (row: Row): number => (row.outcome === "pending" ? row.held : 0);

/** The amount that a row takes of its day in µN: its charge, or its hold while it is pending. */
const weight = (row: Row): number => (row.outcome === "pending" ? row.held : chargedIn(row));
