import { type ChargePart, chargeUsd, costUsd, differenceUsd } from "../ledger/money.ts";

// The journals of a day against what Cloudflare counted. Amounts are µN as BigInt: sums over all
// tenants. What each number means, and what it can explain: docs/reconciliation.md.

/** What Cloudflare counted of one model on one day. An estimate where it sampled. */
export interface UpstreamModel {
  readonly model: string;
  readonly microNeurons: bigint;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What the journals say of one model on one day, over all tenants. */
export interface JournalModel {
  readonly model: string;
  /** Charged to tenants. */
  readonly microNeurons: bigint;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of what was charged: by an estimator. */
  readonly estimated: bigint;
  /** Of what was charged: at the bound, since nobody knows what was used. */
  readonly held: bigint;
  /** Used beyond what was held, and charged to nobody. */
  readonly overrun: bigint;
  /** Of what was charged: by calls that ended on a later day. */
  readonly settledAfterMidnight: bigint;
  /** Charged to the day before, by calls that ended on this one. */
  readonly settledFromDayBefore: bigint;
}

export interface ModelDrift {
  readonly model: string;
  readonly journal: JournalModel;
  /** Null: Cloudflare told nothing of this day. */
  readonly upstream: UpstreamModel | null;
  /** Upstream less the journal: positive where more will be billed than was charged. */
  readonly drift: bigint | null;
  /** What is left of it when each cause explains as much as it can. */
  readonly unexplained: bigint | null;
}

const nothingCharged = (model: string): JournalModel => ({
  model,
  microNeurons: 0n,
  requests: 0,
  inputTokens: 0,
  outputTokens: 0,
  estimated: 0n,
  held: 0n,
  overrun: 0n,
  settledAfterMidnight: 0n,
  settledFromDayBefore: 0n,
});

const nothingCounted = (model: string): UpstreamModel => ({
  model,
  microNeurons: 0n,
  requests: 0,
  inputTokens: 0,
  outputTokens: 0,
});

/**
 * One for each model that either side knows, by name.
 *
 * @param upstream null: nothing is known of the day, which is not the same as nothing was used. Of a
 *   day of which something is known, a model that is not named was not used.
 */
export function modelDrifts(
  journal: readonly JournalModel[],
  upstream: readonly UpstreamModel[] | null,
): ModelDrift[] {
  const ours = new Map(journal.map((one) => [one.model, one]));
  const theirs = new Map((upstream ?? []).map((one) => [one.model, one]));
  return [...new Set([...ours.keys(), ...theirs.keys()])].toSorted().map((model) => {
    const charged = ours.get(model) ?? nothingCharged(model);
    if (upstream === null) {
      return { model, journal: charged, upstream: null, drift: null, unexplained: null };
    }
    const counted = theirs.get(model) ?? nothingCounted(model);
    const drift = counted.microNeurons - charged.microNeurons;
    return {
      model,
      journal: charged,
      upstream: counted,
      drift,
      unexplained: unexplained(drift, charged),
    };
  });
}

/**
 * An overrun is known to the unit; the other causes are known by the most that they can come to. What
 * was estimated may be off by as much, what was held may not have run, what ended after midnight may
 * have been counted a day later.
 */
function unexplained(drift: bigint, journal: JournalModel): bigint {
  const { estimated, held, overrun, settledAfterMidnight, settledFromDayBefore } = journal;
  const least = overrun - estimated - held - settledAfterMidnight;
  const most = overrun + estimated + settledFromDayBefore;
  if (drift < least) return drift - least;
  return drift > most ? drift - most : 0n;
}

export interface DriftThreshold {
  /** Of the larger of both sides. */
  readonly percent: number;
  /** And at least so much. */
  readonly microNeurons: bigint;
}

/** Whether somebody should be told. */
export function isBeyond({ drift, journal, upstream }: ModelDrift, most: DriftThreshold): boolean {
  if (drift === null || upstream === null) return false;
  const size = drift < 0n ? -drift : drift;
  const ours = journal.microNeurons;
  const larger = ours > upstream.microNeurons ? ours : upstream.microNeurons;
  return size >= most.microNeurons && size * 100n > larger * BigInt(most.percent);
}

/** What Cloudflare includes in every day of an account: 10,000 neurons. */
const FREE_MICRO_NEURONS = 10_000_000_000n;

/** The money of one day of the account, exact. */
export interface AccountDay {
  /** At Cloudflare's rate, before the free allocation. */
  readonly costUsd: string;
  readonly freeAllocationUsd: string;
  readonly expectedBillUsd: string;
  /** What the tenants owe under their plans. */
  readonly chargedToTenantsUsd: string;
  /** Expected less charged; negative where the tenants owe more than is billed. */
  readonly carriedByPlatformUsd: string;
}

/**
 * @param microNeurons the account's, of all models: as Cloudflare counted them, else as we did
 * @param overage of all tenants, by rate; an adjustment may have made one negative
 */
export function accountDay(
  microNeurons: bigint,
  plan: "free" | "paid",
  overage: readonly { readonly usdPer1000: string; readonly microNeurons: bigint }[],
): AccountDay {
  const beyond = microNeurons > FREE_MICRO_NEURONS ? microNeurons - FREE_MICRO_NEURONS : 0n;
  // Beyond its allocation the free plan refuses; it is billed nothing.
  const expectedBillUsd = plan === "free" ? "0" : costUsd(beyond);
  const parts = (sign: bigint): ChargePart[] =>
    overage
      .filter((part) => part.microNeurons * sign > 0n)
      .map((part) => ({ usdPer1000: part.usdPer1000, microNeurons: part.microNeurons * sign }));
  const chargedToTenantsUsd = differenceUsd(chargeUsd(parts(1n)), chargeUsd(parts(-1n)));
  return {
    costUsd: costUsd(microNeurons),
    freeAllocationUsd: costUsd(FREE_MICRO_NEURONS),
    expectedBillUsd,
    chargedToTenantsUsd,
    carriedByPlatformUsd: differenceUsd(expectedBillUsd, chargedToTenantsUsd),
  };
}

/**
 * What to keep back of the account's pool: by how much Cloudflare counted more than we did, overruns
 * included, on the worst of some days. 0 where it never did.
 */
export const worstDrift = (
  days: readonly { readonly drift: bigint; readonly overrun: bigint }[],
): bigint =>
  days.reduce((worst, { drift, overrun }) => {
    const missed = drift - overrun;
    return missed > worst ? missed : worst;
  }, 0n);
