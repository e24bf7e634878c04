import type {
  PipelineRun,
  RunCounts,
  RunDocument,
  RunStep,
} from "../../../src/domain/pipelines/run.ts";
import type { RunState } from "../../../src/domain/runs/run.ts";
import type { StepName } from "../../../src/domain/pipelines/step.ts";
import type { Decision } from "../../../src/domain/moderation/verdict.ts";
import type { Database } from "../../database.ts";

type RunRow = {
  id: string;
  state: RunState;
  steps: string;
  documents: number;
  policy: string | null;
  model: string | null;
  resume: number;
  secret_hash: string;
  key_id: string | null;
  request_id: string;
  counts: string;
  micro_neurons: number;
  stopped_as: string | null;
  waits_until_ms: number | null;
  created_at_ms: number;
  progress_at_ms: number;
  finished_at_ms: number | null;
  has_files: number;
};

type DocumentRow = {
  position: number;
  document_id: string;
  file: string | null;
  end_byte: number;
  state: RunDocument["state"];
  failed_as: string | null;
};

type StepRow = {
  run_id: string;
  position: number;
  step: number;
  state: RunStep["state"];
  attempts: number;
  tries: number;
  round_at_ms: number;
  started_at_ms: number;
  finished_at_ms: number | null;
  micro_neurons: number;
  decision: Decision | null;
  failed_as: string | null;
};

/** A step of a list, and where the list goes on after it. */
export interface ListedStep extends RunStep, Pick<RunDocument, "documentId"> {
  /** `[position, place of the step]`. */
  readonly place: readonly [number, number];
}

export class PipelineStore {
  readonly #db: Database;
  /** Runs with something to do, kept in memory: each alarm reads them. */
  #open: readonly PipelineRun[] | undefined;
  /** When each gave its last sign of life, since the object started. */
  readonly #lastSignMs = new Map<string, number>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Of a transaction that was rolled back nothing is remembered. */
  forget(): void {
    this.#open = undefined;
  }

  /** Those that run, and those whose files are still to be erased; the oldest first. */
  open(): readonly PipelineRun[] {
    this.#open ??= this.#db
      .run<RunRow>(
        "SELECT * FROM pipeline_runs WHERE finished_at_ms IS NULL OR has_files = 1 ORDER BY id",
      )
      .map(toPipelineRun);
    return this.#open;
  }

  noteSign(id: string, nowMs: number): void {
    this.#lastSignMs.set(id, nowMs);
  }

  lastSignMs(id: string): number | null {
    return this.#lastSignMs.get(id) ?? null;
  }

  read(id: string): PipelineRun | null {
    const open = this.#open?.find((run) => run.id === id);
    if (open !== undefined) return open;
    const [row] = this.#db.run<RunRow>("SELECT * FROM pipeline_runs WHERE id = ?", id);
    return row === undefined ? null : toPipelineRun(row);
  }

  /** The newest first, before an id; one more than `limit`. */
  list(before: string, limit: number): PipelineRun[] {
    return this.#db
      .run<RunRow>(
        "SELECT * FROM pipeline_runs WHERE id < ? ORDER BY id DESC LIMIT ?",
        before,
        limit + 1,
      )
      .map(toPipelineRun);
  }

  write(run: PipelineRun): void {
    this.#db.run(
      `INSERT OR REPLACE INTO pipeline_runs (id, state, steps, documents, policy, model, resume,
        secret_hash, key_id, request_id, counts, micro_neurons, stopped_as, waits_until_ms,
        created_at_ms, progress_at_ms, finished_at_ms, has_files)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      run.id,
      run.state,
      JSON.stringify(run.steps),
      run.documents,
      run.policy,
      run.model,
      run.resume ? 1 : 0,
      run.secretHash,
      run.keyId,
      run.requestId,
      JSON.stringify(run.counts),
      run.microNeurons,
      run.stoppedAs,
      run.waitsUntilMs,
      run.createdAtMs,
      run.progressAtMs,
      run.finishedAtMs,
      run.hasFiles ? 1 : 0,
    );
    if (run.finishedAtMs !== null) this.#lastSignMs.delete(run.id);
    this.forget();
  }

  /** All documents of a new run, each pending, in order. */
  insertDocuments(
    runId: string,
    documents: readonly Pick<RunDocument, "documentId" | "end">[],
  ): void {
    this.#db.run(
      `INSERT INTO pipeline_documents (run_id, position, document_id, end_byte, state)
        SELECT ?, key, value ->> 0, value ->> 1, 'pending' FROM json_each(?)`,
      runId,
      JSON.stringify(documents.map(({ documentId, end }) => [documentId, end])),
    );
  }

  readDocument(runId: string, position: number): RunDocument | null {
    const [row] = this.#db.run<DocumentRow>(
      "SELECT * FROM pipeline_documents WHERE run_id = ? AND position = ?",
      runId,
      position,
    );
    return row === undefined ? null : toRunDocument(row);
  }

  /** The first that is said stays. */
  pinDocument(runId: string, position: number, file: string): void {
    this.#db.run(
      `UPDATE pipeline_documents SET file = ?
        WHERE run_id = ? AND position = ? AND file IS NULL`,
      file,
      runId,
      position,
    );
  }

  endDocument(runId: string, position: number, failedAs: string | null): void {
    this.#db.run(
      "UPDATE pipeline_documents SET state = ?, failed_as = ? WHERE run_id = ? AND position = ?",
      failedAs === null ? "succeeded" : "failed",
      failedAs,
      runId,
      position,
    );
  }

  /** The positions of documents that are not done yet, from one position up to another. */
  pending(runId: string, from: number, end: number): number[] {
    return this.#db
      .run<{ position: number }>(
        `SELECT position FROM pipeline_documents WHERE run_id = ? AND position >= ?
          AND position < ? AND state = 'pending' ORDER BY position`,
        runId,
        from,
        end,
      )
      .map(({ position }) => position);
  }

  /** The first document without an outcome; null: there is none. */
  firstPending(runId: string): number | null {
    const [row] = this.#db.run<{ at: number | null }>(
      "SELECT MIN(position) AS at FROM pipeline_documents WHERE run_id = ? AND state = 'pending'",
      runId,
    );
    return row?.at ?? null;
  }

  /** @param steps the run's list */
  readStep(
    runId: string,
    { position, step, steps }: { position: number; step: number; steps: readonly StepName[] },
  ): RunStep | null {
    const [row] = this.#db.run<StepRow>(
      "SELECT * FROM pipeline_steps WHERE run_id = ? AND position = ? AND step = ?",
      runId,
      position,
      step,
    );
    return row === undefined ? null : toRunStep(row, steps);
  }

  hasRunningStep(runId: string): boolean {
    const rows = this.#db.run(
      "SELECT 1 AS found FROM pipeline_steps WHERE run_id = ? AND state = 'running' LIMIT 1",
      runId,
    );
    return rows.length === 1;
  }

  /** When the oldest call of a step that runs was begun: its id has that time. Null: none runs. */
  oldestRound(): number | null {
    const rounds = this.open().flatMap(({ id }) =>
      this.#db.run<{ at: number | null }>(
        "SELECT MIN(round_at_ms) AS at FROM pipeline_steps WHERE run_id = ? AND state = 'running'",
        id,
      ),
    );
    const times = rounds.flatMap(({ at }) => (at === null ? [] : [at]));
    return times.length === 0 ? null : Math.min(...times);
  }

  /** In order, from a place on. */
  listSteps(
    { id, steps }: Pick<PipelineRun, "id" | "steps">,
    [position, step]: readonly [number, number],
    limit: number,
  ): ListedStep[] {
    return this.#db
      .run<StepRow & Pick<DocumentRow, "document_id">>(
        `SELECT s.*, d.document_id FROM pipeline_steps AS s
          JOIN pipeline_documents AS d ON d.run_id = s.run_id AND d.position = s.position
          WHERE s.run_id = ? AND (s.position, s.step) >= (?, ?)
          ORDER BY s.position, s.step LIMIT ?`,
        id,
        position,
        step,
        limit,
      )
      .map((row) => ({
        ...toRunStep(row, steps),
        documentId: row.document_id,
        place: [row.position, row.step],
      }));
  }

  writeStep(step: RunStep, place: number): void {
    this.#db.run(
      `INSERT OR REPLACE INTO pipeline_steps (run_id, position, step, state, attempts, tries,
        round_at_ms, started_at_ms, finished_at_ms, micro_neurons, decision, failed_as)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      step.runId,
      step.position,
      place,
      step.state,
      step.attempts,
      step.tries,
      step.roundAtMs,
      step.startedAtMs,
      step.finishedAtMs,
      step.microNeurons,
      step.decision,
      step.failedAs,
    );
  }

  /** Of the oldest `limit` the first that ended; null: none has. */
  firstEndMs(limit: number): number | null {
    const [row] = this.#db.run<{ at: number | null }>(
      `SELECT MIN(finished_at_ms) AS at FROM (SELECT * FROM pipeline_runs ORDER BY id LIMIT ?)
        WHERE has_files = 0`,
      limit,
    );
    return row?.at ?? null;
  }

  /** Deletes at most `limit` runs that ended before a time; true when there may be more. */
  purge(beforeMs: number, limit: number): boolean {
    const old = this.#db
      .run<{ id: string; finished_at_ms: number | null; has_files: number }>(
        "SELECT id, finished_at_ms, has_files FROM pipeline_runs ORDER BY id LIMIT ?",
        limit,
      )
      .filter((row) => row.has_files === 0 && (row.finished_at_ms ?? Infinity) < beforeMs);
    for (const { id } of old) {
      this.#db.run("DELETE FROM pipeline_steps WHERE run_id = ?", id);
      this.#db.run("DELETE FROM pipeline_documents WHERE run_id = ?", id);
      this.#db.run("DELETE FROM pipeline_runs WHERE id = ?", id);
    }
    return old.length === limit;
  }
}

const toPipelineRun = (row: RunRow): PipelineRun => ({
  id: row.id,
  state: row.state,
  steps: JSON.parse(row.steps) as StepName[],
  documents: row.documents,
  policy: row.policy,
  model: row.model,
  resume: row.resume === 1,
  secretHash: row.secret_hash,
  keyId: row.key_id,
  requestId: row.request_id,
  counts: JSON.parse(row.counts) as RunCounts,
  microNeurons: row.micro_neurons,
  stoppedAs: row.stopped_as,
  waitsUntilMs: row.waits_until_ms,
  createdAtMs: row.created_at_ms,
  progressAtMs: row.progress_at_ms,
  finishedAtMs: row.finished_at_ms,
  hasFiles: row.has_files === 1,
});

const toRunDocument = (row: DocumentRow): RunDocument => ({
  position: row.position,
  documentId: row.document_id,
  file: row.file,
  end: row.end_byte,
  state: row.state,
  failedAs: row.failed_as,
});

function toRunStep(row: StepRow, steps: readonly StepName[]): RunStep {
  const step = steps[row.step];
  if (step === undefined) throw new Error("a run has no such step");
  return {
    runId: row.run_id,
    position: row.position,
    step,
    state: row.state,
    attempts: row.attempts,
    tries: row.tries,
    roundAtMs: row.round_at_ms,
    startedAtMs: row.started_at_ms,
    finishedAtMs: row.finished_at_ms,
    microNeurons: row.micro_neurons,
    decision: row.decision,
    failedAs: row.failed_as,
  };
}
