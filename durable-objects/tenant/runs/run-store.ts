import type { Run, RunState } from "../../../src/domain/runs/run.ts";
import type { Database, SqlValue } from "../../database.ts";

// The rows of runs. Each kind of run has tables of its own, with the same columns for what every run has.

/** The columns of every table of runs, with the same names. */
export type RunRow = Record<string, SqlValue> & {
  id: string;
  state: RunState;
  resume: number;
  secret_hash: string | null;
  key_id: string | null;
  request_id: string;
  context: string | null;
  micro_neurons: number;
  stopped_as: string | null;
  waits_until_ms: number | null;
  created_at_ms: number;
  progress_at_ms: number;
  finished_at_ms: number | null;
};

/** The tables of one kind of run. */
export interface RunTables<R extends Run> {
  readonly runs: string;
  /** `state` and `round_at_ms` are columns of it. */
  readonly steps: string;
  /** Other tables with rows of a run. */
  readonly others: readonly string[];
  /** The column with the run's id, of all tables but `runs`. */
  readonly runId: string;
  /** The column of `hasFiles`. */
  readonly hasFiles: string;
  /** The columns that only this kind has, by their names. */
  readonly ownColumns: (run: R) => Readonly<Record<string, SqlValue>>;
  // A method, so that it may name the columns that only this kind has.
  toRun(run: Run, row: RunRow): R;
}

export class RunStore<R extends Run> {
  protected readonly db: Database;
  readonly #tables: RunTables<R>;
  /** Runs with something to do, kept in memory: each alarm reads them. */
  #open: readonly R[] | undefined;
  /** When the Workflow of each gave its last sign of life, since the object started. */
  readonly #lastSignMs = new Map<string, number>();

  constructor(db: Database, tables: RunTables<R>) {
    this.db = db;
    this.#tables = tables;
  }

  /** Of a transaction that was rolled back nothing is remembered. */
  forget(): void {
    this.#open = undefined;
  }

  /** Those that run, and those whose files are still to be erased; the oldest first. */
  open(): readonly R[] {
    const { runs, hasFiles } = this.#tables;
    this.#open ??= this.#runs(
      `SELECT * FROM ${runs} WHERE finished_at_ms IS NULL OR ${hasFiles} = 1 ORDER BY id`,
    );
    return this.#open;
  }

  /** Its Workflow gave a sign of life: it began a step, settled a call of one, or reported it. */
  noteSign(id: string, nowMs: number): void {
    this.#lastSignMs.set(id, nowMs);
  }

  lastSignMs(id: string): number | null {
    return this.#lastSignMs.get(id) ?? null;
  }

  read(id: string): R | null {
    const open = this.#open?.find((run) => run.id === id);
    if (open !== undefined) return open;
    const [run] = this.#runs(`SELECT * FROM ${this.#tables.runs} WHERE id = ?`, id);
    return run ?? null;
  }

  /** The newest first, before an id; one more than `limit`, to know whether there are more. */
  list(before: string, limit: number): R[] {
    return this.#runs(
      `SELECT * FROM ${this.#tables.runs} WHERE id < ? ORDER BY id DESC LIMIT ?`,
      before,
      limit + 1,
    );
  }

  write(run: R): void {
    const { runs, hasFiles, ownColumns } = this.#tables;
    const row: Readonly<Record<string, SqlValue>> = {
      id: run.id,
      state: run.state,
      resume: run.resume ? 1 : 0,
      secret_hash: run.secretHash,
      key_id: run.keyId,
      request_id: run.requestId,
      context: run.context,
      micro_neurons: run.microNeurons,
      stopped_as: run.stoppedAs,
      waits_until_ms: run.waitsUntilMs,
      created_at_ms: run.createdAtMs,
      progress_at_ms: run.progressAtMs,
      finished_at_ms: run.finishedAtMs,
      [hasFiles]: run.hasFiles ? 1 : 0,
      ...ownColumns(run),
    };
    const columns = Object.keys(row);
    const places = columns.map(() => "?");
    this.db.run(
      `INSERT OR REPLACE INTO ${runs} (${columns.join(", ")}) VALUES (${places.join(", ")})`,
      ...Object.values(row),
    );
    if (run.finishedAtMs !== null) this.#lastSignMs.delete(run.id);
    this.forget();
  }

  /** Those that have begun. */
  countSteps(id: string): number {
    const { steps, runId } = this.#tables;
    const [row] = this.db.run<{ count: number }>(
      `SELECT COUNT(*) AS count FROM ${steps} WHERE ${runId} = ?`,
      id,
    );
    return row?.count ?? 0;
  }

  hasRunningStep(id: string): boolean {
    const { steps, runId } = this.#tables;
    const rows = this.db.run(
      `SELECT 1 AS found FROM ${steps} WHERE ${runId} = ? AND state = 'running' LIMIT 1`,
      id,
    );
    return rows.length === 1;
  }

  /** When the oldest round that runs was begun: the ids of its calls have that time. Null: none runs. */
  oldestRound(): number | null {
    const { steps, runId } = this.#tables;
    const rounds = this.open().flatMap(({ id }) =>
      this.db.run<{ at: number | null }>(
        `SELECT MIN(round_at_ms) AS at FROM ${steps} WHERE ${runId} = ? AND state = 'running'`,
        id,
      ),
    );
    const times = rounds.flatMap(({ at }) => (at === null ? [] : [at]));
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Of the oldest `limit` the first that ended; null: none has. */
  firstEndMs(limit: number): number | null {
    const { runs, hasFiles } = this.#tables;
    const [row] = this.db.run<{ at: number | null }>(
      `SELECT MIN(finished_at_ms) AS at FROM (SELECT * FROM ${runs} ORDER BY id LIMIT ?)
        WHERE ${hasFiles} = 0`,
      limit,
    );
    return row?.at ?? null;
  }

  /** Deletes at most `limit` runs that ended before a time; true when there may be more. */
  purge(beforeMs: number, limit: number): boolean {
    const { runs, steps, others, runId, hasFiles } = this.#tables;
    const old = this.db
      .run<{ id: string; finished_at_ms: number | null; has_files: number }>(
        `SELECT id, finished_at_ms, ${hasFiles} AS has_files FROM ${runs} ORDER BY id LIMIT ?`,
        limit,
      )
      .filter((row) => row.has_files === 0 && (row.finished_at_ms ?? Infinity) < beforeMs);
    for (const { id } of old) {
      for (const table of [steps, ...others]) {
        this.db.run(`DELETE FROM ${table} WHERE ${runId} = ?`, id);
      }
      this.db.run(`DELETE FROM ${runs} WHERE id = ?`, id);
    }
    return old.length === limit;
  }

  #runs(statement: string, ...values: SqlValue[]): R[] {
    const tables = this.#tables;
    return this.db
      .run<RunRow>(statement, ...values)
      .map((row) => tables.toRun(runOf(row, row[tables.hasFiles] === 1), row));
  }
}

const runOf = (row: RunRow, hasFiles: boolean): Run => ({
  id: row.id,
  state: row.state,
  resume: row.resume === 1,
  secretHash: row.secret_hash,
  keyId: row.key_id,
  requestId: row.request_id,
  context: row.context,
  microNeurons: row.micro_neurons,
  stoppedAs: row.stopped_as,
  waitsUntilMs: row.waits_until_ms,
  createdAtMs: row.created_at_ms,
  progressAtMs: row.progress_at_ms,
  finishedAtMs: row.finished_at_ms,
  hasFiles,
});
