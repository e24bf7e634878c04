import type {
  Batch,
  BatchCounts,
  BatchStep,
  ItemResult,
} from "../../../src/domain/moderation/batch.ts";
import type { RunState } from "../../../src/domain/runs/run.ts";
import type { Database } from "../../database.ts";

type BatchRow = {
  id: string;
  state: RunState;
  items: number;
  ends: string;
  resume: number;
  secret_hash: string | null;
  key_id: string | null;
  request_id: string;
  counts: string;
  micro_neurons: number;
  stopped_as: string | null;
  waits_until_ms: number | null;
  created_at_ms: number;
  progress_at_ms: number;
  finished_at_ms: number | null;
  has_file: number;
};

type StepRow = {
  batch_id: string;
  step: number;
  round: number;
  attempts: number;
  state: BatchStep["state"];
  round_at_ms: number;
  started_at_ms: number;
  finished_at_ms: number | null;
  results: string;
};

export class BatchStore {
  readonly #db: Database;
  /** Batches with something to do, kept in memory: each alarm reads them. */
  #open: readonly Batch[] | undefined;
  /** When the run of each gave its last sign of life, since the object started. */
  readonly #lastSignMs = new Map<string, number>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Of a transaction that was rolled back nothing is remembered. */
  forget(): void {
    this.#open = undefined;
  }

  /** Those that run, and those whose items are still to be erased; the oldest first. */
  open(): readonly Batch[] {
    this.#open ??= this.#db
      .run<BatchRow>(
        "SELECT * FROM batches WHERE finished_at_ms IS NULL OR has_file = 1 ORDER BY id",
      )
      .map(toBatch);
    return this.#open;
  }

  /** Its run gave a sign of life: it began a step, settled a call of one, or reported it. */
  noteSign(id: string, nowMs: number): void {
    this.#lastSignMs.set(id, nowMs);
  }

  lastSignMs(id: string): number | null {
    return this.#lastSignMs.get(id) ?? null;
  }

  read(id: string): Batch | null {
    const [row] = this.#db.run<BatchRow>("SELECT * FROM batches WHERE id = ?", id);
    return row === undefined ? null : toBatch(row);
  }

  /** The newest first, before an id; one more than `limit`, to know whether there are more. */
  list(before: string, limit: number): Batch[] {
    return this.#db
      .run<BatchRow>(
        "SELECT * FROM batches WHERE id < ? ORDER BY id DESC LIMIT ?",
        before,
        limit + 1,
      )
      .map(toBatch);
  }

  write(batch: Batch): void {
    this.#db.run(
      `INSERT OR REPLACE INTO batches (id, state, items, ends, resume, secret_hash, key_id,
        request_id, counts, micro_neurons, stopped_as, waits_until_ms, created_at_ms,
        progress_at_ms, finished_at_ms, has_file)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      batch.id,
      batch.state,
      batch.items,
      JSON.stringify(batch.ends),
      batch.resume ? 1 : 0,
      batch.secretHash,
      batch.keyId,
      batch.requestId,
      JSON.stringify(batch.counts),
      batch.microNeurons,
      batch.stoppedAs,
      batch.waitsUntilMs,
      batch.createdAtMs,
      batch.progressAtMs,
      batch.finishedAtMs,
      batch.hasFiles ? 1 : 0,
    );
    if (batch.finishedAtMs !== null) this.#lastSignMs.delete(batch.id);
    this.forget();
  }

  readStep(batchId: string, step: number): BatchStep | null {
    const [row] = this.#db.run<StepRow>(
      "SELECT * FROM batch_steps WHERE batch_id = ? AND step = ?",
      batchId,
      step,
    );
    return row === undefined ? null : toStep(row);
  }

  hasRunningStep(batchId: string): boolean {
    const rows = this.#db.run(
      "SELECT 1 AS found FROM batch_steps WHERE batch_id = ? AND state = 'running' LIMIT 1",
      batchId,
    );
    return rows.length === 1;
  }

  /** When the oldest of the rounds that run was begun: its calls bear that time. Null: none runs. */
  oldestRound(): number | null {
    const rounds = this.open().flatMap(({ id }) =>
      this.#db.run<{ round_at_ms: number }>(
        "SELECT round_at_ms FROM batch_steps WHERE batch_id = ? AND state = 'running'",
        id,
      ),
    );
    return rounds.length === 0 ? null : Math.min(...rounds.map((row) => row.round_at_ms));
  }

  /** In order, from a step on. */
  listSteps(batchId: string, from: number, limit: number): BatchStep[] {
    return this.#db
      .run<StepRow>(
        "SELECT * FROM batch_steps WHERE batch_id = ? AND step >= ? ORDER BY step LIMIT ?",
        batchId,
        from,
        limit,
      )
      .map(toStep);
  }

  writeStep(step: BatchStep): void {
    this.#db.run(
      `INSERT OR REPLACE INTO batch_steps (batch_id, step, round, attempts, state, round_at_ms,
        started_at_ms, finished_at_ms, results) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      step.batchId,
      step.step,
      step.round,
      step.attempts,
      step.state,
      step.roundAtMs,
      step.startedAtMs,
      step.finishedAtMs,
      JSON.stringify(step.results),
    );
  }

  /** Of the oldest `limit` the first that ended; null: none has. */
  firstEndMs(limit: number): number | null {
    const [row] = this.#db.run<{ at: number | null }>(
      `SELECT MIN(finished_at_ms) AS at FROM (SELECT * FROM batches ORDER BY id LIMIT ?)
        WHERE has_file = 0`,
      limit,
    );
    return row?.at ?? null;
  }

  /** Deletes at most `limit` batches that ended before a time; true when there may be more. */
  purge(beforeMs: number, limit: number): boolean {
    const old = this.#db
      .run<{ id: string; finished_at_ms: number | null; has_file: number }>(
        "SELECT id, finished_at_ms, has_file FROM batches ORDER BY id LIMIT ?",
        limit,
      )
      .filter((row) => row.has_file === 0 && (row.finished_at_ms ?? Infinity) < beforeMs);
    for (const { id } of old) {
      this.#db.run("DELETE FROM batch_steps WHERE batch_id = ?", id);
      this.#db.run("DELETE FROM batches WHERE id = ?", id);
    }
    return old.length === limit;
  }
}

const toBatch = (row: BatchRow): Batch => ({
  id: row.id,
  state: row.state,
  items: row.items,
  ends: JSON.parse(row.ends) as number[],
  resume: row.resume === 1,
  secretHash: row.secret_hash,
  keyId: row.key_id,
  requestId: row.request_id,
  counts: JSON.parse(row.counts) as BatchCounts,
  microNeurons: row.micro_neurons,
  stoppedAs: row.stopped_as,
  waitsUntilMs: row.waits_until_ms,
  createdAtMs: row.created_at_ms,
  progressAtMs: row.progress_at_ms,
  finishedAtMs: row.finished_at_ms,
  hasFiles: row.has_file === 1,
});

const toStep = (row: StepRow): BatchStep => ({
  batchId: row.batch_id,
  step: row.step,
  round: row.round,
  attempts: row.attempts,
  state: row.state,
  roundAtMs: row.round_at_ms,
  startedAtMs: row.started_at_ms,
  finishedAtMs: row.finished_at_ms,
  results: JSON.parse(row.results) as ItemResult[],
});
