import type { Promised } from "../account/account-terms.ts";
import { CATALOGUE } from "../catalogue/catalogue.ts";
import type { FieldError } from "../ledger/failure.ts";
import { fromNeurons, type MicroNeurons, ZERO } from "../ledger/micro-neurons.ts";
import { type Plan, type QuotaTerms, UNLIMITED } from "../ledger/quota.ts";
import { DEFAULT_RATES, type RateClass } from "../ledger/rate-limit.ts";

/**
 * The most calls of a tenant in progress. An object keeps each open hold in memory, about a kilobyte, beside
 * everything else in the 128 MB of its isolate.
 */
export const MOST_IN_FLIGHT = 10_000;

/** `judge`: the judge of the default policy, at its price. */
export const PERSPECTIVE_FALLBACKS = ["off", "judge"] as const;

export const ANONYMOUS_IMAGES = ["unlimited", "limited"] as const;

/** A tenant's settings, with the names and units of the API. */
export interface Settings {
  readonly plan: Plan;
  /** Neurons a UTC day, up to six decimals. */
  readonly daily_neurons: number;
  readonly reserved_neurons: number;
  /** Neurons beyond `daily_neurons` a UTC day, on the paid plan; null on the free plan only. */
  readonly overage_cap_neurons: number | typeof UNLIMITED | null;
  /** Neurons a calendar month of UTC, on either plan; null: no cap. */
  readonly monthly_cap_neurons: number | null;
  /** A decimal string, e.g. `"0.011"`. */
  readonly overage_usd_per_1000_neurons: string;
  /** Admissions in a rolling minute by rate class; classes without an entry have defaults. */
  readonly rpm: Readonly<Record<RateClass, number>>;
  readonly max_in_flight: number;
  /** Catalogue ids that may run; null: all. */
  readonly models: readonly string[] | null;
  readonly aliases: Readonly<Record<string, string>>;
  readonly fallbacks: Readonly<Record<string, readonly string[]>>;
  readonly cache_ttl_s: number;
  readonly daily_images_per_user: number;
  /** `limited`: calls for pictures that name no user share one such limit. */
  readonly anonymous_images: (typeof ANONYMOUS_IMAGES)[number];
  readonly content_retention_days: number;
  /** What scores comments of `comments:analyze` in languages that the text model does not read. */
  readonly perspective_fallback: (typeof PERSPECTIVE_FALLBACKS)[number];
  /** How long labels of `comments:suggestscore` are kept for calibrations; 0: none is. */
  readonly suggestion_retention_days: number;
  readonly verdict_retention_days: number;
  readonly event_retention_days: number;
  /** How long a response is kept after it was made or last continued; 0: none is kept. */
  readonly response_retention_s: number;
  readonly default_max_tokens: number;
  /** Prompts are sent with fewer blanks, even if a call does not ask for that. */
  readonly compact_prompts: boolean;
  /** The highest `temperature` at which an answer may be taken from the cache. */
  readonly cache_max_temperature: number;
  readonly suspended: boolean;
}

/** All quotas come from one account, so `plan` and `daily_neurons` must be chosen and have no default. */
export const DEFAULT_SETTINGS: Omit<Settings, "plan" | "daily_neurons"> = {
  reserved_neurons: 0,
  overage_cap_neurons: null,
  monthly_cap_neurons: null,
  overage_usd_per_1000_neurons: "0.011",
  rpm: { requests: 300 },
  max_in_flight: 50,
  models: null,
  aliases: {},
  fallbacks: {},
  cache_ttl_s: 0,
  daily_images_per_user: 50,
  anonymous_images: "unlimited",
  content_retention_days: 0,
  perspective_fallback: "off",
  suggestion_retention_days: 0,
  verdict_retention_days: 30,
  event_retention_days: 30,
  response_retention_s: 86_400,
  default_max_tokens: 1024,
  compact_prompts: false,
  cache_max_temperature: 0,
  suspended: false,
};

/** The settings after a PUT: every absent field has its default. */
export const withDefaults = (
  given: Pick<Settings, "plan" | "daily_neurons"> & Partial<Settings>,
): Settings => ({
  ...DEFAULT_SETTINGS,
  ...given,
  rpm: { ...DEFAULT_SETTINGS.rpm, ...given.rpm },
});

/** The settings that are objects: a PATCH merges them by key. */
type Merged = "rpm" | "aliases" | "fallbacks";

/** The body of a PATCH (RFC 7396): null sets the default, and in an object it removes the key. */
export type SettingsPatch = {
  readonly [K in Exclude<keyof Settings, Merged>]?: Settings[K] | null;
} & {
  readonly [K in Merged]?: { readonly [key: string]: Settings[K][string] | null } | null;
};

/**
 * A field without a default (`plan`, `daily_neurons`) cannot be removed: the route refuses null.
 *
 * A move to the free plan removes the overage cap. A later move to the paid plan must then choose a new
 * one, and does not get the old one back.
 */
export function patched(settings: Settings, patch: SettingsPatch): Settings {
  const { rpm, aliases, fallbacks, ...fields } = { ...withoutCap(patch), ...patch };
  const changed = Object.entries(fields).map(([name, value]) => [
    name,
    value ?? DEFAULT_SETTINGS[name as keyof typeof DEFAULT_SETTINGS],
  ]);
  return {
    ...settings,
    ...(Object.fromEntries(changed) as Partial<Settings>),
    rpm: { ...DEFAULT_SETTINGS.rpm, ...merged(settings.rpm, rpm) },
    aliases: merged(settings.aliases, aliases),
    fallbacks: merged(settings.fallbacks, fallbacks),
  };
}

const withoutCap = ({ plan }: SettingsPatch): SettingsPatch =>
  plan === "free" ? { overage_cap_neurons: null } : {};

function merged<Value>(
  before: Readonly<Record<string, Value>>,
  patch: Readonly<Record<string, Value | null>> | null | undefined,
): Readonly<Record<string, Value>> {
  if (patch === undefined) return before;
  if (patch === null) return {};
  return Object.fromEntries(
    Object.entries({ ...before, ...patch }).flatMap(([key, value]) =>
      value === null ? [] : [[key, value]],
    ),
  );
}

/**
 * The limit of a class a minute: the setting, else the default of the class, else the model's own, else
 * `fallback`.
 */
export const rateLimitFor = (settings: Settings, name: RateClass, fallback: number): number =>
  settings.rpm[name] ??
  DEFAULT_RATES[name as keyof typeof DEFAULT_RATES] ??
  CATALOGUE.get(name)?.rpm ??
  fallback;

/** The model that a name stands for, then the fallbacks for when it was refused before it ran. */
export function modelsFor(settings: Settings, name: string): readonly [string, ...string[]] {
  const id = own(settings.aliases, name) ?? name;
  return [id, ...(own(settings.fallbacks, name) ?? own(settings.fallbacks, id) ?? [])];
}

/** A caller's name such as `constructor` must not find an inherited property. */
const own = <Value>(values: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(values, name) ? values[name] : undefined;

export function quotaTerms(settings: Settings): QuotaTerms {
  const cap = settings.overage_cap_neurons;
  return {
    plan: settings.plan,
    daily: amount(settings.daily_neurons),
    // Null is allowed on the free plan only; on a paid plan it would be a cap of 0.
    overageCap: cap === UNLIMITED ? UNLIMITED : amount(cap ?? 0),
    overageUsdPer1000: settings.overage_usd_per_1000_neurons,
  };
}

/** Null: no cap. */
export const monthlyCap = ({ monthly_cap_neurons: cap }: Settings): MicroNeurons | null =>
  cap === null ? null : amount(cap);

/** The routes accept no more than six decimals, so nothing is lost here. */
const amount = (neurons: number): MicroNeurons => fromNeurons(neurons) ?? ZERO;

/** Tenants begin with version 1. As the version that a change expects: it makes a tenant, or does nothing. */
export const NO_VERSION = 0;

/**
 * What the settings promise from the account that all tenants share. A suspended tenant is promised nothing,
 * so that others can use its floor meanwhile.
 */
export const promisedBy = (profile: {
  readonly settings: Settings;
  readonly version: number;
}): Promised & { readonly version: number } => ({
  plan: profile.settings.plan,
  daily: amount(profile.settings.daily_neurons),
  floor: amount(profile.settings.reserved_neurons),
  suspended: profile.settings.suspended,
  version: profile.version,
});

/** The floor that is kept free for the tenant. */
export const keptFloor = ({
  floor,
  suspended,
}: Pick<Promised, "floor" | "suspended">): MicroNeurons => (suspended ? ZERO : floor);

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
