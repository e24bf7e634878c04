import type {
  PipelineRun,
  RunCounts,
  RunDocument,
  RunStep,
} from "../../../src/domain/pipelines/run.ts";
import type { StepName } from "../../../src/domain/pipelines/step.ts";
import type { Decision } from "../../../src/domain/moderation/verdict.ts";
import type { Database } from "../../database.ts";
import { type RunRow, RunStore, type RunTables } from "../runs/run-store.ts";

type PipelineRow = RunRow & {
  steps: string;
  documents: number;
  policy: string | null;
  model: string | null;
  secret_hash: string;
  counts: string;
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

const TABLES: RunTables<PipelineRun> = {
  runs: "pipeline_runs",
  steps: "pipeline_steps",
  others: ["pipeline_documents"],
  runId: "run_id",
  hasFiles: "has_files",
  ownColumns: ({ steps, documents, policy, model, counts }) => ({
    steps: JSON.stringify(steps),
    documents,
    policy,
    model,
    counts: JSON.stringify(counts),
  }),
  toRun: (run, row: PipelineRow) => ({
    ...run,
    steps: JSON.parse(row.steps) as StepName[],
    documents: row.documents,
    policy: row.policy,
    model: row.model,
    secretHash: row.secret_hash,
    counts: JSON.parse(row.counts) as RunCounts,
  }),
};

export class PipelineStore extends RunStore<PipelineRun> {
  constructor(db: Database) {
    super(db, TABLES);
  }

  /** All documents of a new run, each pending, in order. */
  insertDocuments(
    runId: string,
    documents: readonly Pick<RunDocument, "documentId" | "end">[],
  ): void {
    this.db.run(
      `INSERT INTO pipeline_documents (run_id, position, document_id, end_byte, state)
        SELECT ?, key, value ->> 0, value ->> 1, 'pending' FROM json_each(?)`,
      runId,
      JSON.stringify(documents.map(({ documentId, end }) => [documentId, end])),
    );
  }

  readDocument(runId: string, position: number): RunDocument | null {
    const [row] = this.db.run<DocumentRow>(
      "SELECT * FROM pipeline_documents WHERE run_id = ? AND position = ?",
      runId,
      position,
    );
    return row === undefined ? null : toRunDocument(row);
  }

  /** The first that is said stays. */
  pinDocument(runId: string, position: number, file: string): void {
    this.db.run(
      `UPDATE pipeline_documents SET file = ?
        WHERE run_id = ? AND position = ? AND file IS NULL`,
      file,
      runId,
      position,
    );
  }

  endDocument(runId: string, position: number, failedAs: string | null): void {
    this.db.run(
      "UPDATE pipeline_documents SET state = ?, failed_as = ? WHERE run_id = ? AND position = ?",
      failedAs === null ? "succeeded" : "failed",
      failedAs,
      runId,
      position,
    );
  }

  /** The positions of documents that are not done yet, from one position up to another. */
  pending(runId: string, from: number, end: number): number[] {
    return this.db
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
    const [row] = this.db.run<{ at: number | null }>(
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
    const [row] = this.db.run<StepRow>(
      "SELECT * FROM pipeline_steps WHERE run_id = ? AND position = ? AND step = ?",
      runId,
      position,
      step,
    );
    return row === undefined ? null : toRunStep(row, steps);
  }

  /** Why the first of a document's steps that failed did; null: none has. */
  firstFailure(runId: string, position: number): string | null {
    const [row] = this.db.run<{ failed_as: string | null }>(
      `SELECT failed_as FROM pipeline_steps
        WHERE run_id = ? AND position = ? AND state = 'failed' ORDER BY step LIMIT 1`,
      runId,
      position,
    );
    return row?.failed_as ?? null;
  }

  /** In order, from a place on. */
  listSteps(
    { id, steps }: Pick<PipelineRun, "id" | "steps">,
    [position, step]: readonly [number, number],
    limit: number,
  ): ListedStep[] {
    return this.db
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
    this.db.run(
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
}

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
