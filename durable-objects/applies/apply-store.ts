import type { ApplyState, StateApply } from "../../src/domain/tenant/state-apply.ts";
import type { Database } from "../database.ts";
import { ApplyTenantStore } from "./apply-tenant-store.ts";

/** The sender of a part. */
export interface Sender {
  readonly actor: string;
  readonly requestId: string;
}

type HeadRow = {
  number: number;
  id: string;
  state: ApplyState;
  parts: number;
  prune: number;
  dry_run: number;
  stored_parts: number;
  named: number;
  others: number;
  pruned_to: string | null;
  counts: string;
  change: string;
  warnings: string;
  actor: string;
  request_id: string;
  begun_at_ms: number;
  started_at_ms: number | null;
  ended_at_ms: number | null;
  expires_at_ms: number;
  due_at_ms: number;
};

/** Applies and their parts. */
export class ApplyStore {
  readonly tenants: ApplyTenantStore;
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    this.tenants = new ApplyTenantStore(db);
  }

  // Applies

  read(id: string): StateApply | null {
    return this.#heads("SELECT * FROM applies WHERE id = ?", id)[0] ?? null;
  }

  /** The apply as it is now: it may have been stopped. */
  readNumber(number: number): StateApply | null {
    const found = this.#heads("SELECT * FROM applies WHERE number = ? AND id IS NOT NULL", number);
    return found[0] ?? null;
  }

  /** Newest first: few. */
  list(): StateApply[] {
    return this.#heads("SELECT * FROM applies WHERE id IS NOT NULL ORDER BY number DESC");
  }

  nextNumber(): number {
    const [row] = this.#db.run<{ last: number | null }>("SELECT MAX(number) AS last FROM applies");
    return (row?.last ?? 0) + 1;
  }

  write(apply: StateApply): void {
    this.#db.run(
      `INSERT OR REPLACE INTO applies (number, id, state, parts, prune, dry_run, stored_parts, named,
        others, pruned_to, counts, change, warnings, actor, request_id, begun_at_ms, started_at_ms,
        ended_at_ms, expires_at_ms, due_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      apply.number,
      apply.id,
      apply.state,
      apply.parts,
      Number(apply.prune),
      Number(apply.dryRun),
      apply.storedParts,
      apply.named,
      apply.others,
      apply.prunedTo,
      JSON.stringify(apply.counts),
      JSON.stringify(apply.change),
      JSON.stringify(apply.warnings),
      apply.actor,
      apply.requestId,
      apply.begunAtMs,
      apply.startedAtMs,
      apply.endedAtMs,
      apply.expiresAtMs,
      apply.dueAtMs,
    );
  }

  /** From now on no reply has it; its rows are deleted bit by bit. */
  forget(number: number): void {
    this.#db.run("UPDATE applies SET id = NULL WHERE number = ?", number);
  }

  hasForgotten(): boolean {
    return this.#db.run("SELECT 1 FROM applies WHERE id IS NULL LIMIT 1").length > 0;
  }

  /** Erases some rows of what is forgotten. */
  erase(most: number): void {
    const [row] = this.#db.run<{ number: number }>(
      "SELECT number FROM applies WHERE id IS NULL LIMIT 1",
    );
    if (row === undefined) return;
    if (this.tenants.erase(row.number, most)) return;
    this.#db.run("DELETE FROM apply_parts WHERE apply = ?", row.number);
    this.#db.run("DELETE FROM applies WHERE number = ?", row.number);
  }

  #heads(statement: string, ...values: (string | number)[]): StateApply[] {
    return this.#db.run<HeadRow>(statement, ...values).map(toApply);
  }

  // Parts

  readDigest(apply: number, part: number): string | null {
    const [row] = this.#db.run<{ digest: string }>(
      "SELECT digest FROM apply_parts WHERE apply = ? AND part = ?",
      apply,
      part,
    );
    return row?.digest ?? null;
  }

  writePart(apply: number, part: number, digest: string, { actor, requestId }: Sender): void {
    this.#db.run(
      "INSERT INTO apply_parts (apply, part, digest, actor, request_id) VALUES (?, ?, ?, ?, ?)",
      apply,
      part,
      digest,
      actor,
      requestId,
    );
  }

  /** By the number of the part: at most `MOST_PARTS`. */
  senders(apply: number): Map<number, Sender> {
    const rows = this.#db.run<{ part: number; actor: string; request_id: string }>(
      "SELECT part, actor, request_id FROM apply_parts WHERE apply = ?",
      apply,
    );
    return new Map(
      rows.map(({ part, actor, request_id: requestId }) => [part, { actor, requestId }]),
    );
  }
}

const toApply = (row: HeadRow): StateApply => ({
  number: row.number,
  id: row.id,
  state: row.state,
  parts: row.parts,
  prune: row.prune === 1,
  dryRun: row.dry_run === 1,
  storedParts: row.stored_parts,
  named: row.named,
  others: row.others,
  prunedTo: row.pruned_to,
  counts: JSON.parse(row.counts) as StateApply["counts"],
  change: JSON.parse(row.change) as StateApply["change"],
  warnings: JSON.parse(row.warnings) as StateApply["warnings"],
  actor: row.actor,
  requestId: row.request_id,
  begunAtMs: row.begun_at_ms,
  startedAtMs: row.started_at_ms,
  endedAtMs: row.ended_at_ms,
  expiresAtMs: row.expires_at_ms,
  dueAtMs: row.due_at_ms,
});
