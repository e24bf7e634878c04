import type { VariantState } from "../../../src/domain/generation/picture-variant.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Database } from "../../database.ts";

/** A picture, and the call that made it. */
export interface PictureOfCall {
  readonly callId: string;
  readonly pictureId: string;
}

/** Transformations of a day. */
export interface TransformationDay {
  readonly day: Day;
  /** Those that failed included. */
  readonly begun: number;
  readonly failed: number;
}

type VariantRow = {
  name: string;
  state: VariantState["state"];
  until_ms: number;
  failures: number;
};

export class VariantStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Of one picture: at most as many as it may have. */
  of({ callId, pictureId }: PictureOfCall): VariantState[] {
    return this.#db
      .run<VariantRow>(
        `SELECT name, state, until_ms, failures FROM picture_variants
          WHERE call_id = ? AND picture_id = ?`,
        callId,
        pictureId,
      )
      .map(({ until_ms: untilMs, ...row }) => ({ ...row, untilMs }));
  }

  write({ callId, pictureId }: PictureOfCall, variant: VariantState): void {
    this.#db.run(
      `INSERT OR REPLACE INTO picture_variants (call_id, picture_id, name, state, until_ms, failures)
        VALUES (?, ?, ?, ?, ?, ?)`,
      callId,
      pictureId,
      variant.name,
      variant.state,
      variant.untilMs,
      variant.failures,
    );
  }

  /** Whether one of a call's pictures may be written now. */
  isMaking(callId: string, nowMs: number): boolean {
    const rows = this.#db.run(
      `SELECT name FROM picture_variants
        WHERE call_id = ? AND state = 'making' AND until_ms > ? LIMIT 1`,
      callId,
      nowMs,
    );
    return rows.length > 0;
  }

  deleteCall(callId: string): void {
    this.#db.run("DELETE FROM picture_variants WHERE call_id = ?", callId);
  }

  count(day: Day, what: "begun" | "failed"): void {
    this.#db.run(
      `INSERT INTO transformations (day, begun, failed) VALUES (?, ?, ?)
        ON CONFLICT (day) DO UPDATE SET begun = begun + excluded.begun,
          failed = failed + excluded.failed`,
      day,
      what === "begun" ? 1 : 0,
      what === "failed" ? 1 : 0,
    );
  }

  /** Both days included, the first one first. */
  days(from: Day, to: Day): TransformationDay[] {
    return this.#db.run<{ day: number; begun: number; failed: number }>(
      "SELECT day, begun, failed FROM transformations WHERE day BETWEEN ? AND ? ORDER BY day",
      from,
      to,
    );
  }

  oldestDay(): Day | null {
    const first = "SELECT MIN(day) AS day FROM transformations";
    return this.#db.run<{ day: number | null }>(first)[0]?.day ?? null;
  }

  /** True when there are more. */
  purge(before: Day, limit: number): boolean {
    const rows = this.#db.run<{ day: number }>(
      "SELECT day FROM transformations WHERE day < ? LIMIT ?",
      before,
      limit,
    );
    for (const { day } of rows) this.#db.run("DELETE FROM transformations WHERE day = ?", day);
    return rows.length === limit;
  }
}
