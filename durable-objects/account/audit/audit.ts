import { type AccountContext, type AccountFeature, MOST_PURGED } from "../account-feature.ts";
import type { AuditEntry } from "../../../src/domain/account/audit-entry.ts";
import { AuditStore } from "./audit-store.ts";

/** Thirteen months and a little, like the records of who read kept content. */
const KEPT_MS = 400 * 86_400_000;

/** The log of admin acts. */
export class Audit implements AccountFeature {
  readonly name = "audit";
  readonly #context: AccountContext;
  readonly #store: AuditStore;

  constructor(context: AccountContext) {
    this.#context = context;
    this.#store = new AuditStore(context.db);
  }

  async record(entry: Omit<AuditEntry, "atMs">): Promise<void> {
    const nowMs = this.#context.wallMs();
    this.#store.addAudit({ ...entry, atMs: nowMs });
    await this.#context.armBy(this.dueMs(nowMs));
  }

  /** All or none; one that is in the log already is there once. */
  async recordAll(entries: readonly Omit<AuditEntry, "atMs">[]): Promise<void> {
    const dueMs = this.#context.transact((atMs) => {
      entries.forEach((entry) => this.#store.addAudit({ ...entry, atMs }));
      return this.dueMs(atMs);
    });
    await this.#context.armBy(dueMs);
  }

  /**
   * Newest first, before an id.
   *
   * @param tenant null: of all
   */
  list(
    before: string,
    tenant: string | null,
    limit: number,
  ): { readonly entries: readonly AuditEntry[]; readonly more: boolean } {
    const rows = this.#store.listAudit(before, tenant, limit);
    return { entries: rows.slice(0, limit), more: rows.length > limit };
  }

  purge(nowMs: number): void {
    this.#store.purge(nowMs - KEPT_MS, MOST_PURGED);
  }

  dueMs(nowMs: number): number | null {
    const oldestMs = this.#store.oldestMs();
    // An act is past its retention in the millisecond after it.
    return oldestMs === null ? null : Math.max(nowMs, oldestMs + KEPT_MS + 1);
  }
}
