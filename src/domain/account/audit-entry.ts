/** What was changed: names of fields, ids and numbers. Never a secret, never content. */
export type AuditDetail = Readonly<
  Record<string, string | number | boolean | null | readonly string[]>
>;

/** An act of the platform: who did what, and when. */
export interface AuditEntry {
  readonly id: string;
  readonly atMs: number;
  readonly actor: string;
  /** The method and path of the route: `PUT /admin/tenants/{tenant}`. */
  readonly action: string;
  readonly tenant: string | null;
  readonly requestId: string;
  readonly detail: AuditDetail;
}
