import type { AuditEntry } from "../../../src/domain/account/audit-entry.ts";
import type { Database } from "../../database.ts";

type AuditRow = {
  id: string;
  at_ms: number;
  actor: string;
  action: string;
  tenant: string | null;
  request_id: string;
  detail: string;
};

export class AuditStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Once: an act that is repeated because its answer was lost has the same id. */
  addAudit(entry: AuditEntry): void {
    this.#db.run(
      `INSERT INTO audit (id, at_ms, actor, action, tenant, request_id, detail)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      entry.id,
      entry.atMs,
      entry.actor,
      entry.action,
      entry.tenant,
      entry.requestId,
      JSON.stringify(entry.detail),
    );
  }

  /**
   * Newest first: one more than the limit, where there is one.
   *
   * @param tenant null: of all
   */
  listAudit(before: string, tenant: string | null, limit: number): AuditEntry[] {
    const rows =
      tenant === null
        ? this.#db.run<AuditRow>(
            "SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?",
            before,
            limit + 1,
          )
        : this.#db.run<AuditRow>(
            "SELECT * FROM audit WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?",
            tenant,
            before,
            limit + 1,
          );
    return rows.map(toAudit);
  }

  /** When the oldest act was done; null: there is none. Ids sort by time. */
  oldestMs(): number | null {
    const oldest = "SELECT at_ms FROM audit ORDER BY id LIMIT 1";
    return this.#db.run<{ at_ms: number }>(oldest)[0]?.at_ms ?? null;
  }

  /** Deletes acts that were done before a time, at most `limit` of them. */
  purge(beforeMs: number, limit: number): void {
    this.#db.run(
      `DELETE FROM audit WHERE at_ms < ? AND id IN (SELECT id FROM audit ORDER BY id LIMIT ?)`,
      beforeMs,
      limit,
    );
  }
}

const toAudit = (row: AuditRow): AuditEntry => ({
  id: row.id,
  atMs: row.at_ms,
  actor: row.actor,
  action: row.action,
  tenant: row.tenant,
  requestId: row.request_id,
  detail: JSON.parse(row.detail) as AuditEntry["detail"],
});
