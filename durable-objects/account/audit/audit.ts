import type { AccountContext, AccountFeature } from "../account-feature.ts";
import type { AuditEntry } from "../../../src/domain/account/audit-entry.ts";
import { AuditStore } from "./audit-store.ts";

/** The log of admin acts. */
export class Audit implements AccountFeature {
  readonly name = "audit";
  readonly #context: AccountContext;
  readonly #store: AuditStore;

  constructor(context: AccountContext) {
    this.#context = context;
    this.#store = new AuditStore(context.db);
  }

  record(entry: Omit<AuditEntry, "atMs">): void {
    this.#store.addAudit({ ...entry, atMs: this.#context.wallMs() });
  }

  /** All or none; one that is in the log already is there once. */
  recordAll(entries: readonly Omit<AuditEntry, "atMs">[]): void {
    this.#context.transact((atMs) =>
      entries.forEach((entry) => this.#store.addAudit({ ...entry, atMs })),
    );
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
}
