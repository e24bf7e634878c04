import { endsAtMs, type Grant } from "../../../src/domain/ledger/quota.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Database } from "../../database.ts";

type GrantRow = {
  id: string;
  amount: number;
  drawn: number;
  reason: string;
  created_at_ms: number;
  expires_at_ms: number;
  ended_at_ms: number | null;
};

export class GrantStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  read(id: string): Grant | null {
    const [row] = this.#db.run<GrantRow>("SELECT * FROM grants WHERE id = ?", id);
    return row === undefined ? null : toGrant(row);
  }

  /** Newest first; one more than `limit` when there are more. */
  list(before: string, limit: number): Grant[] {
    return this.#db
      .run<GrantRow>(
        "SELECT * FROM grants WHERE id < ? ORDER BY id DESC LIMIT ?",
        before,
        limit + 1,
      )
      .map(toGrant);
  }

  /** A range of the index: however many have ended before. */
  endingFrom(utcMs: number): Grant[] {
    return this.#db.run<GrantRow>("SELECT * FROM grants WHERE ends_at_ms >= ?", utcMs).map(toGrant);
  }

  insert(grant: Grant): void {
    this.#db.run(
      `INSERT INTO grants (id, amount, drawn, reason, created_at_ms, expires_at_ms, ended_at_ms,
        ends_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      grant.id,
      grant.amount,
      grant.drawn,
      grant.reason,
      grant.createdAtMs,
      grant.expiresAtMs,
      grant.endedAtMs,
      endsAtMs(grant),
    );
  }

  writeDrawn({ id, drawn }: Grant): void {
    this.#db.run("UPDATE grants SET drawn = ? WHERE id = ?", drawn, id);
  }

  writeEnd(grant: Grant): void {
    this.#db.run(
      "UPDATE grants SET ended_at_ms = ?, ends_at_ms = ? WHERE id = ?",
      grant.endedAtMs,
      endsAtMs(grant),
      grant.id,
    );
  }
}

const toGrant = (row: GrantRow): Grant => ({
  id: row.id,
  amount: microNeurons(row.amount),
  drawn: microNeurons(row.drawn),
  reason: row.reason,
  createdAtMs: row.created_at_ms,
  expiresAtMs: row.expires_at_ms,
  endedAtMs: row.ended_at_ms,
});
