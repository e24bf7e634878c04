import type { LookupFailure } from "../domain/ledger/failure.ts";
import { useReports } from "../reports/open-reports.ts";
import { UNAVAILABLE } from "./bindings.ts";

/** A deployment may do without the database: then there are no reports across tenants. */
const NO_REPORTS: LookupFailure & { readonly kind: "not_found" } = {
  kind: "not_found",
  what: "report: this deployment has no database of reports",
};

/** Reads from the database of reports. One that does not answer is `unavailable`. */
export async function readReports<Result extends { readonly kind: string }>(
  env: Env,
  read: (database: D1Database) => Promise<Result>,
): Promise<Result | typeof NO_REPORTS | typeof UNAVAILABLE> {
  try {
    return (await useReports(env, read)) ?? NO_REPORTS;
  } catch {
    return UNAVAILABLE;
  }
}
