import type {
  Batch,
  BatchCounts,
  BatchStep,
  ItemResult,
} from "../../../src/domain/moderation/batch.ts";
import type { Database } from "../../database.ts";
import { type RunRow, RunStore, type RunTables } from "../runs/run-store.ts";

type BatchRow = RunRow & { items: number; ends: string; counts: string };

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

const TABLES: RunTables<Batch> = {
  runs: "batches",
  steps: "batch_steps",
  others: [],
  runId: "batch_id",
  hasFiles: "has_file",
  ownColumns: ({ items, ends, counts }) => ({
    items,
    ends: JSON.stringify(ends),
    counts: JSON.stringify(counts),
  }),
  toRun: (run, row: BatchRow) => ({
    ...run,
    items: row.items,
    ends: JSON.parse(row.ends) as number[],
    counts: JSON.parse(row.counts) as BatchCounts,
  }),
};

export class BatchStore extends RunStore<Batch> {
  constructor(db: Database) {
    super(db, TABLES);
  }

  readStep(batchId: string, step: number): BatchStep | null {
    const [row] = this.db.run<StepRow>(
      "SELECT * FROM batch_steps WHERE batch_id = ? AND step = ?",
      batchId,
      step,
    );
    return row === undefined ? null : toStep(row);
  }

  /** In order, from a step on. */
  listSteps(batchId: string, from: number, limit: number): BatchStep[] {
    return this.db
      .run<StepRow>(
        "SELECT * FROM batch_steps WHERE batch_id = ? AND step >= ? ORDER BY step LIMIT ?",
        batchId,
        from,
        limit,
      )
      .map(toStep);
  }

  writeStep(step: BatchStep): void {
    this.db.run(
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
}

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
