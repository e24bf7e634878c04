import type { FieldError } from "../ledger/failure.ts";
import type { Settings } from "./settings.ts";

// Rules that a tenant's settings must satisfy as a whole, whichever fields a change names. A PUT is checked
// where it is read; a PATCH is checked in the tenant's object, since only it knows the result.

/** Nobody reads more names than this, and a row of settings stays small. */
export const MOST_NAMES = 100;

interface Rule {
  readonly field: keyof Settings;
  /** The part of the sentence after the field's name. */
  readonly sentence: string;
  readonly holds: (settings: Settings) => boolean;
}

/** Unlimited spending must be an explicit word: a missing cap is a mistake. */
export const PAID_NEEDS_CAP: Rule = {
  field: "overage_cap_neurons",
  sentence: 'must be a number of neurons a day, or "unlimited": the paid plan has no default cap',
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
  sentence: `must have at most ${MOST_NAMES} entries after the change`,
  holds: (settings) => Object.keys(settings[field]).length <= MOST_NAMES,
});

const RULES: readonly Rule[] = [
  PAID_NEEDS_CAP,
  FREE_HAS_NO_OVERAGE,
  fewNames("aliases"),
  fewNames("fallbacks"),
];

/** The errors of settings as a whole; empty: none. */
export const settingsErrors = (settings: Settings): readonly FieldError[] =>
  RULES.filter(({ holds }) => !holds(settings)).map(({ field, sentence }) => ({
    path: [field],
    detail: sentence,
  }));
