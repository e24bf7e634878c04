import type { Config } from "../config.ts";
import { accountDay, isBeyond, modelDrifts, worstDrift } from "../domain/usage/drift.ts";
import { driftObject, type ReconciledDay } from "../domain/usage/drift-object.ts";
import { type Day, dayOf } from "../domain/ledger/period.ts";
import { ReconciliationStore, type Run } from "../reports/reconciliation-store.ts";
import { keepResourceDay } from "../reports/resource-days-store.ts";
import { cloudflareResources } from "./cloudflare-resources.ts";
import { cloudflareUsage, type CloudflareUsage } from "./cloudflare-usage.ts";

// Reconciles one day: the charges of the journals, Cloudflare's counts, and the drift between them.

export type DriftAlert = ReturnType<typeof driftObject>;

export interface ReconcileDeps {
  readonly config: Config;
  readonly database: D1Database;
  /** Holds so many µN back from the account's pool. Throws when that could not be done. */
  readonly holdBack: (microNeurons: bigint) => Promise<void>;
  /** Sends events to the platform's webhooks. Throws when they could not be recorded. */
  readonly tell: (alerts: readonly DriftAlert[]) => Promise<void>;
}

const MICRO_PER_NEURON = 1_000_000n;

/**
 * Compares once and stores the result; a later run for the same day replaces it. Every answer of
 * Cloudflare is an outcome and not an exception.
 *
 * @throws when the database does not answer, the margin could not be set, or the events not recorded
 */
export async function reconcileDay(deps: ReconcileDeps, day: Day): Promise<ReconciledDay> {
  const { config, database, tell, holdBack } = deps;
  const store = new ReconciliationStore(database);
  const [journal, overage, usage] = await Promise.all([
    store.journalOf(day, enginesOf(config)),
    store.overageOf(day),
    upstreamOf(config, day),
  ]);
  const { outcome, reason, models } = outcomeOf(usage);
  const drifts = modelDrifts(journal, models);
  const counted =
    models?.reduce((sum, { microNeurons }) => sum + microNeurons, 0n) ??
    journal.reduce((sum, one) => sum + one.microNeurons + one.overrun, 0n);
  const kept = await store.save({
    day,
    outcome,
    reason,
    atMs: Date.now(),
    drifts,
    money: accountDay(counted, config.workersPlan, overage),
  });
  await holdBack(await marginOf(config, store));
  if (config.cloudflare !== null) {
    const counts = await cloudflareResources(config.cloudflare, day);
    await keepResourceDay(database, { day, counts, atMs: Date.now() });
  }
  if (outcome === "compared") {
    const { percent, neurons } = config.driftAlert;
    const most = { percent, microNeurons: BigInt(neurons) * MICRO_PER_NEURON };
    const beyond = kept.models.filter((model) => isBeyond(model, most));
    if (beyond.length > 0) await tell(beyond.map((model) => driftObject(day, model)));
  }
  return kept;
}

/** Set even when it is 0, so that the whole pool is free again after the margin is turned off. */
async function marginOf({ safetyMarginDays }: Config, store: ReconciliationStore): Promise<bigint> {
  if (safetyMarginDays === 0) return 0n;
  return worstDrift(await store.driftsFrom(dayOf(Date.now()) - safetyMarginDays));
}

/**
 * Calls that died are charged though it is unknown what ran: where the engine is Workers AI, it may have
 * been that.
 */
const enginesOf = ({ inference }: Config): readonly string[] =>
  inference === "workers-ai" ? ["workers-ai", "unknown"] : ["workers-ai"];

const upstreamOf = async ({ cloudflare }: Config, day: Day): Promise<CloudflareUsage | null> =>
  cloudflare === null ? null : cloudflareUsage(cloudflare, day);

function outcomeOf(usage: CloudflareUsage | null): Pick<Run, "outcome" | "reason"> & {
  readonly models: Extract<CloudflareUsage, { kind: "usage" }>["models"] | null;
} {
  if (usage === null) return { outcome: "not_configured", reason: NOT_CONFIGURED, models: null };
  if (usage.kind === "failed") return { outcome: "failed", reason: usage.reason, models: null };
  // The data lags: a day without figures may get some later.
  if (usage.models.length === 0) return { outcome: "no_data", reason: NO_DATA, models: null };
  return { outcome: "compared", reason: null, models: usage.models };
}

const NOT_CONFIGURED = "CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN are not set.";

const NO_DATA = "Cloudflare has no figures for this day, or not yet.";
