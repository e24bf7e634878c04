import { type ChargePart, chargeUsd, costUsd, differenceUsd } from "../ledger/money.ts";
import { emptySum, ENGINE_FIELDS, fieldsWithout, onlyFields, type SumOf } from "./usage-sum.ts";

// The journals of a day against what Cloudflare counted. Amounts are µN as BigInt: sums over all
// tenants. docs/reconciliation.md says what each number means, and what it can explain.

/** What Cloudflare counts. */
export const UPSTREAM_FIELDS = onlyFields(
  ENGINE_FIELDS,
  "microNeurons",
  "engineRequests",
  "inputTokens",
  "outputTokens",
);

/** What the journals count of a day, over all tenants. */
export const JOURNAL_FIELDS = {
  ...fieldsWithout(ENGINE_FIELDS, "failed", "units", "latency"),
  /** Charged to the day before, by calls that ended on this one. */
  settledFromDayBefore: "amount",
} as const;

interface OfModel {
  readonly model: string;
}

/** What Cloudflare counted of one model on one day. An estimate where it sampled. */
export type UpstreamModel = OfModel & SumOf<typeof UPSTREAM_FIELDS, bigint>;

/** What the journals say of one model on one day, over all tenants. */
export type JournalModel = OfModel & SumOf<typeof JOURNAL_FIELDS, bigint>;

const NOTHING_COUNTED = emptySum(UPSTREAM_FIELDS, 0n);
const NOTHING_CHARGED = emptySum(JOURNAL_FIELDS, 0n);

export interface ModelDrift {
  readonly model: string;
  readonly journal: JournalModel;
  /** Null: Cloudflare has no figures of this day. */
  readonly upstream: UpstreamModel | null;
  /** Upstream less the journal: positive where more will be billed than was charged. */
  readonly drift: bigint | null;
  /** The part of it that remains when each cause explains as much as it can. */
  readonly unexplained: bigint | null;
}

/**
 * One for each model that either side knows, by name.
 *
 * @param upstream null: nothing is known of the day, which does not mean that nothing was used. When
 *   something is known of a day, a model without a row was not used.
 */
export function modelDrifts(
  journal: readonly JournalModel[],
  upstream: readonly UpstreamModel[] | null,
): ModelDrift[] {
  const ours = new Map(journal.map((one) => [one.model, one]));
  const theirs = new Map((upstream ?? []).map((one) => [one.model, one]));
  return [...new Set([...ours.keys(), ...theirs.keys()])].toSorted().map((model) => {
    const charged = ours.get(model) ?? { model, ...NOTHING_CHARGED };
    if (upstream === null) {
      return { model, journal: charged, upstream: null, drift: null, unexplained: null };
    }
    const counted = theirs.get(model) ?? { model, ...NOTHING_COUNTED };
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
 * An overrun is known exactly. Of each other cause the most that it can explain is known: an estimate
 * may be wrong by all of its amount, a held charge may be for nothing that ran, and Cloudflare may have
 * counted a call that ended after midnight a day later.
 */
function unexplained(drift: bigint, journal: JournalModel): bigint {
  const { estimated, held, overrun, settledAfterMidnight, settledFromDayBefore } = journal;
  const least = overrun - estimated - held - settledAfterMidnight;
  const most = overrun + estimated + settledFromDayBefore;
  if (drift < least) return drift - least;
  return drift > most ? drift - most : 0n;
}

export interface DriftThreshold {
  /** Percent of the larger side. */
  readonly percent: number;
  /** The drift must be at least this, too. */
  readonly microNeurons: bigint;
}

/** Whether the platform should be alerted. */
export function isBeyond({ drift, journal, upstream }: ModelDrift, most: DriftThreshold): boolean {
  if (drift === null || upstream === null) return false;
  const size = drift < 0n ? -drift : drift;
  const ours = journal.microNeurons;
  const larger = ours > upstream.microNeurons ? ours : upstream.microNeurons;
  return size >= most.microNeurons && size * 100n > larger * BigInt(most.percent);
}

/** The free allocation of an account: 10,000 neurons every day. */
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
  // The free plan refuses calls beyond its allocation, so nothing is billed.
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
 * The margin to keep back from the account's pool: how much more Cloudflare counted than we did,
 * overruns included, on the worst of some days. 0 when it never counted more.
 */
export const worstDrift = (
  days: readonly { readonly drift: bigint; readonly overrun: bigint }[],
): bigint =>
  days.reduce((worst, { drift, overrun }) => {
    const missed = drift - overrun;
    return missed > worst ? missed : worst;
  }, 0n);
