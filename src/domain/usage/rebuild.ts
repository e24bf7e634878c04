/** The reports of this tenant, made anew in steps that each can be repeated. */
export interface Rebuild {
  /** The reports' rows go first; then all rows wait again; then they are sent. */
  readonly phase: "clearing" | "marking" | "sending" | "done";
  /** Of the rows that were marked, the last one. */
  readonly after: readonly [kind: string, key: string];
  /** Rows of this sequence and less are to arrive: what changes later is fed as ever. */
  readonly upTo: number;
  /** Rows that were marked. */
  readonly rows: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
}

export interface RebuildStatus {
  readonly kind: "rebuild";
  /** Null: there was none yet. */
  readonly rebuild: Rebuild | null;
  /** Rows that the reports may not have yet. */
  readonly waiting: number;
}
