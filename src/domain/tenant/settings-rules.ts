import type { FieldError } from "../ledger/failure.ts";
import type { Settings } from "./settings.ts";

// What the fields of a tenant's settings must be together, whichever of them a change names. A PUT
// is held to it where it is read; a PATCH in the tenant's object, which alone knows the result.

/** More names are no longer read by anybody, and a row of settings stays small. */
export const MOST_NAMES = 100;

interface Rule {
  readonly field: keyof Settings;
  /** The end of a sentence that begins with the field. */
  readonly sentence: string;
  readonly holds: (settings: Settings) => boolean;
}

/** That nothing stops a tenant's spending is said in a word: a cap that is forgotten is a mistake. */
export const PAID_NEEDS_CAP: Rule = {
  field: "overage_cap_neurons",
  sentence:
    'must be a number of neurons a day, or "unlimited" spelled out: the paid plan has no cap by default',
  holds: ({ plan, overage_cap_neurons: cap }) => plan === "free" || cap !== null,
};

export const FREE_HAS_NO_OVERAGE: Rule = {
  field: "overage_cap_neurons",
  sentence:
    "must be null, or left out, on the free plan: it stops at daily_neurons and has no overage",
  holds: ({ plan, overage_cap_neurons: cap }) => plan === "paid" || cap === null,
};

const fewNames = (field: "aliases" | "fallbacks"): Rule => ({
  field,
  sentence: `must have at most ${MOST_NAMES} entries once this is merged`,
  holds: (settings) => Object.keys(settings[field]).length <= MOST_NAMES,
});

const RULES: readonly Rule[] = [
  PAID_NEEDS_CAP,
  FREE_HAS_NO_OVERAGE,
  fewNames("aliases"),
  fewNames("fallbacks"),
];

/** What is wrong with settings as a whole; none: nothing. */
export const settingsErrors = (settings: Settings): readonly FieldError[] =>
  RULES.filter(({ holds }) => !holds(settings)).map(({ field, sentence }) => ({
    path: [field],
    detail: sentence,
  }));
