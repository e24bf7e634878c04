import type { Config } from "../config.ts";
import { microNeurons } from "../domain/ledger/micro-neurons.ts";
import type { ReconcileDeps } from "../reconciliation/reconcile-day.ts";
import { openReports } from "../reports/open-reports.ts";
import { writeAccount } from "./bindings.ts";

/**
 * What a reconciliation needs of this deployment; null: it has no database of reports.
 *
 * @throws when the database does not answer
 */
export async function reconciliationDeps(env: Env, config: Config): Promise<ReconcileDeps | null> {
  const database = await openReports(env);
  if (database === null) return null;
  return {
    config,
    database,
    holdBack: async (amount) => {
      const margin = microNeurons(Number(amount));
      const failure = await writeAccount(env, (account) => account.setSafetyMargin(margin));
      if (failure !== undefined) throw new Error("the margin could not be set");
    },
    tell: async (drifts) => {
      const failure = await writeAccount(env, (account) => account.tellDrifts(drifts));
      if (failure !== undefined) throw new Error("the drift could not be reported");
    },
  };
}
