import type { CheckFinding, CheckPass } from "../../../src/domain/tenant/check-pass.ts";
import type { CheckCount, CheckSums, FoundKind } from "../../../src/domain/tenant/tenant-check.ts";
import type { Database } from "../../database.ts";

type PassRow = {
  pass: number;
  started_at_ms: number;
  ended_at_ms: number | null;
  tenants: number;
  after_tenant: string;
  is_walked: number;
  due_at_ms: number;
  sums: string;
};

type FindingRow = {
  tenant: string;
  pass: number;
  kind: FoundKind;
  tries: number;
  again_at_ms: number | null;
  at_ms: number;
  checked_to_ms: number | null;
  counts: string;
};

export class CheckStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The latest first: at most two. */
  listPasses(): CheckPass[] {
    return this.#db
      .run<PassRow>("SELECT * FROM check_passes ORDER BY pass DESC LIMIT 2")
      .map(toPass);
  }

  writePass(pass: CheckPass): void {
    this.#db.run(
      `INSERT OR REPLACE INTO check_passes
        (pass, started_at_ms, ended_at_ms, tenants, after_tenant, is_walked, due_at_ms, sums)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      pass.pass,
      pass.startedAtMs,
      pass.endedAtMs,
      pass.tenants,
      pass.afterTenant,
      pass.isWalked ? 1 : 0,
      pass.dueAtMs,
      JSON.stringify(pass.sums),
    );
  }

  removePassesBefore(pass: number): void {
    this.#db.run("DELETE FROM check_passes WHERE pass < ?", pass);
  }

  /** Active tenants, by id. */
  listTenants(after: string, limit: number): string[] {
    return this.#db
      .run<{ id: string }>(
        "SELECT id FROM tenants WHERE state = 'active' AND id > ? ORDER BY id LIMIT ?",
        after,
        limit,
      )
      .map(({ id }) => id);
  }

  readFinding(tenant: string): CheckFinding | null {
    const [row] = this.#db.run<FindingRow>("SELECT * FROM check_findings WHERE tenant = ?", tenant);
    return row === undefined ? null : toFinding(row);
  }

  /** By id. */
  listFindings(after: string, limit: number): CheckFinding[] {
    return this.#db
      .run<FindingRow>(
        "SELECT * FROM check_findings WHERE tenant > ? ORDER BY tenant LIMIT ?",
        after,
        limit,
      )
      .map(toFinding);
  }

  /** Tenants that are to be checked again, the earliest first. */
  listAgain(limit: number): { readonly tenant: string; readonly againAtMs: number }[] {
    return this.#db
      .run<{ tenant: string; again_at_ms: number }>(
        `SELECT tenant, again_at_ms FROM check_findings WHERE again_at_ms IS NOT NULL
          ORDER BY again_at_ms LIMIT ?`,
        limit,
      )
      .map(({ tenant, again_at_ms: againAtMs }) => ({ tenant, againAtMs }));
  }

  writeFinding(finding: CheckFinding): void {
    this.#db.run(
      `INSERT OR REPLACE INTO check_findings
        (tenant, pass, kind, tries, again_at_ms, at_ms, checked_to_ms, counts)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      finding.tenant,
      finding.pass,
      finding.kind,
      finding.tries,
      finding.againAtMs,
      finding.atMs,
      finding.checkedToMs,
      JSON.stringify(finding.counts),
    );
  }

  removeFinding(tenant: string): void {
    this.#db.run("DELETE FROM check_findings WHERE tenant = ?", tenant);
  }
}

const toPass = (row: PassRow): CheckPass => ({
  pass: row.pass,
  startedAtMs: row.started_at_ms,
  endedAtMs: row.ended_at_ms,
  tenants: row.tenants,
  afterTenant: row.after_tenant,
  isWalked: row.is_walked === 1,
  dueAtMs: row.due_at_ms,
  sums: JSON.parse(row.sums) as CheckSums,
});

const toFinding = (row: FindingRow): CheckFinding => ({
  tenant: row.tenant,
  pass: row.pass,
  kind: row.kind,
  tries: row.tries,
  againAtMs: row.again_at_ms,
  atMs: row.at_ms,
  checkedToMs: row.checked_to_ms,
  counts: JSON.parse(row.counts) as readonly CheckCount[],
});
