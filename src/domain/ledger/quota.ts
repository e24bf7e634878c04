import { least, type MicroNeurons, minus, minusOrZero, plus, sum, ZERO } from "./micro-neurons.ts";

// What a plan lets through in a day, and what each posted amount is drawn on.

export const PLANS = ["free", "paid"] as const;
export type Plan = (typeof PLANS)[number];

/** No cap, in a word: a value that is missing must never mean that nothing stops a tenant. */
export const UNLIMITED = "unlimited";

export interface QuotaTerms {
  readonly plan: Plan;
  readonly daily: MicroNeurons;
  /** Beyond `daily`, on the paid plan. */
  readonly overageCap: MicroNeurons | typeof UNLIMITED;
  /** USD per 1,000 neurons of overage, a decimal string. */
  readonly overageUsdPer1000: string;
}

/** What was drawn in a period, each in µN; the three add up to `posted`. */
export interface Drawn {
  readonly quota: MicroNeurons;
  readonly granted: MicroNeurons;
  readonly overage: MicroNeurons;
}

export const NOTHING_DRAWN: Drawn = { quota: ZERO, granted: ZERO, overage: ZERO };

export const posted = (drawn: Drawn): MicroNeurons =>
  sum([drawn.quota, drawn.granted, drawn.overage]);

/**
 * The most that `posted + pending` may reach in a day; null: no limit (paid, its overage unlimited).
 *
 * @param granted what grants gave the day and may yet give it
 */
export function limitOf(terms: QuotaTerms, granted: MicroNeurons = ZERO): MicroNeurons | null {
  const included = plus(terms.daily, granted);
  if (terms.plan === "free") return included;
  return terms.overageCap === UNLIMITED ? null : plus(included, terms.overageCap);
}

/**
 * What `amount` is drawn on, at the moment of posting: the day's quota first, then grants, then
 * overage.
 *
 * On the free plan there is no overage to owe: a call that was admitted before a limit was lowered,
 * or before the tenant was moved from paid to free, is included.
 *
 * @param drawable the most that it may draw on grants
 */
export function draw(
  terms: QuotaTerms,
  before: Drawn,
  amount: MicroNeurons,
  drawable: MicroNeurons = ZERO,
): Drawn {
  const quota = least(amount, minusOrZero(terms.daily, before.quota));
  const granted = least(minus(amount, quota), drawable);
  const rest = minus(amount, plus(quota, granted));
  return terms.plan === "free"
    ? { quota: plus(quota, rest), granted, overage: ZERO }
    : { quota, granted, overage: rest };
}

export const addDrawn = (a: Drawn, b: Drawn): Drawn => ({
  quota: plus(a.quota, b.quota),
  granted: plus(a.granted, b.granted),
  overage: plus(a.overage, b.overage),
});
