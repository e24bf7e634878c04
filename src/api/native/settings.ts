import * as v from "valibot";
import { CATALOGUE } from "../../domain/catalogue/catalogue.ts";
import { fromNeurons } from "../../domain/ledger/micro-neurons.ts";
import { parseUsdRate } from "../../domain/ledger/money.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import { DEFAULT_RATES } from "../../domain/ledger/rate-limit.ts";
import { AUTO } from "../../domain/generation/routing.ts";
import { PLANS, UNLIMITED } from "../../domain/ledger/quota.ts";
import {
  ANONYMOUS_IMAGES,
  MOST_IN_FLIGHT,
  PERSPECTIVE_FALLBACKS,
  type Settings,
  withDefaults,
  FREE_HAS_NO_OVERAGE,
  MOST_NAMES,
  PAID_NEEDS_CAP,
} from "../../domain/tenant/settings.ts";
import { stated } from "../../http/field-errors.ts";
import { TENANT_ID } from "../../http/authenticate.ts";
import { name, time, wholeNumber } from "../field.ts";
import { record, strictObject } from "../object-input.ts";

// A tenant's settings on the wire.

/** A billion neurons a day is USD 11,000: more is a slip of the finger. */
const MAX_NEURONS = 1_000_000_000;

/** One reason for each wrong number: a negative one does not have too many decimals as well. */
const sixDecimals = stated(
  "must have at most six decimals",
  (n: number) => n < 0 || n > MAX_NEURONS || fromNeurons(n) !== null,
);

export const neurons = (description: string) =>
  v.pipe(
    v.number(),
    v.minValue(0),
    v.maxValue(MAX_NEURONS),
    v.check(sixDecimals),
    v.description(description),
  );

export const rateClass = v.pipe(
  v.string(),
  v.check(
    stated(
      "must be a rate class",
      (text: string) => Object.hasOwn(DEFAULT_RATES, text) || CATALOGUE.get(text)?.ownRpm === true,
    ),
  ),
);

export const perMinute = wholeNumber(1, 1_000_000, "Admissions in any rolling minute.");

const modelId = v.pipe(
  v.string(),
  v.maxLength(128),
  v.check(stated("must be a model of the catalogue", (id: string) => CATALOGUE.has(id))),
);

const alias = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

const aliased = v.pipe(
  v.string(),
  v.maxLength(128),
  v.check(
    stated(
      "must be a model of the catalogue, or auto",
      (id: string) => id === AUTO || CATALOGUE.has(id),
    ),
  ),
);

const modelList = v.pipe(v.array(modelId), v.maxLength(5));

const FIELDS = {
  reserved_neurons: neurons("Neurons of the account's pool that are kept for this tenant."),
  overage_cap_neurons: v.nullable(
    v.pipe(
      v.union([neurons("Neurons a UTC day."), v.literal(UNLIMITED)]),
      v.description(
        'What a tenant may draw beyond `daily_neurons` a day. Required on the paid plan: a number (0 is a hard stop), or "unlimited" spelled out. Null on the free plan alone, which has no overage.',
      ),
    ),
  ),
  monthly_cap_neurons: v.nullable(
    neurons("Neurons a calendar month (UTC), on either plan; null: no cap."),
  ),
  overage_usd_per_1000_neurons: v.pipe(
    v.string(),
    v.maxLength(20),
    v.check(stated("must be an amount such as 0.011", (t: string) => parseUsdRate(t) !== null)),
    v.description("USD per 1,000 neurons of overage, a decimal string."),
  ),
  rpm: v.pipe(
    record(rateClass, perMinute),
    v.maxEntries(MOST_NAMES),
    v.description("Admissions a minute by rate class; a class not named has its default."),
  ),
  max_in_flight: wholeNumber(1, MOST_IN_FLIGHT, "Calls in progress at once."),
  models: v.nullable(
    v.pipe(v.array(modelId), v.maxLength(200), v.description("Models that may run; null: all.")),
  ),
  aliases: v.pipe(
    record(alias, aliased),
    v.maxEntries(MOST_NAMES),
    v.description("Names that stand for a model, or for `auto`."),
  ),
  fallbacks: v.pipe(
    record(alias, modelList),
    v.maxEntries(MOST_NAMES),
    v.description("Models to try when one was refused before it ran."),
  ),
  cache_ttl_s: wholeNumber(0, 2_592_000, "How long exact answers may be reused; 0: never."),
  daily_images_per_user: wholeNumber(0, 1_000_000, "Images an end user may generate a day."),
  anonymous_images: v.pipe(
    v.picklist(ANONYMOUS_IMAGES),
    v.description(
      "Calls for images without a `user_id`. unlimited: they are not counted. limited: together they have `daily_images_per_user` a day.",
    ),
  ),
  content_retention_days: wholeNumber(0, 365, "How long content is stored; 0: not at all."),
  perspective_fallback: v.pipe(
    v.picklist(PERSPECTIVE_FALLBACKS),
    v.description(
      "What scores comments of `comments:analyze` in languages other than English: `judge` is the default policy's, at its price; never for a key of role `score`. `off`: they are refused.",
    ),
  ),
  suggestion_retention_days: wholeNumber(
    0,
    365,
    "How long texts with labels of `comments:suggestscore` are kept for calibrations; 0: none is.",
  ),
  verdict_retention_days: wholeNumber(1, 400, "How long verdicts are kept."),
  event_retention_days: wholeNumber(1, 400, "How long events are kept."),
  response_retention_s: wholeNumber(
    0,
    2_592_000,
    "How long a response is kept after it was made or last continued; 0: none is kept.",
  ),
  default_max_tokens: wholeNumber(1, 131_072, "`max_tokens` of a call that gives none."),
  compact_prompts: v.pipe(
    v.boolean(),
    v.description("Chat prompts are sent with fewer blanks, outside of code and quotations."),
  ),
  cache_max_temperature: v.pipe(
    v.number(),
    v.minValue(0),
    v.maxValue(2),
    v.description("The highest `temperature` of which answers may be reused; absent counts as 1."),
  ),
  suspended: v.pipe(v.boolean(), v.description("Refuses every call with a key of this tenant.")),
};

const REQUIRED = {
  plan: v.pipe(v.picklist(PLANS), v.description("free: hard stop. paid: overage.")),
  daily_neurons: neurons("Neurons a UTC day, up to six decimals."),
};

/** PUT: an absent field takes its default. */
const SettingsFields = strictObject({
  ...REQUIRED,
  ...v.partial(v.object(FIELDS)).entries,
});

const held = ({ sentence, holds }: typeof PAID_NEEDS_CAP) =>
  v.check(
    stated(sentence, (fields: v.InferOutput<typeof SettingsFields>) =>
      holds(withDefaults(given(fields))),
    ),
  );

export const SettingsInput = v.pipe(
  SettingsFields,
  v.forward(held(PAID_NEEDS_CAP), ["overage_cap_neurons"]),
  v.forward(held(FREE_HAS_NO_OVERAGE), ["overage_cap_neurons"]),
);

/** PATCH: RFC 7396. Null means the default; `plan` and `daily_neurons` have none. */
export const SettingsPatchInput = strictObject({
  plan: v.optional(REQUIRED.plan),
  daily_neurons: v.optional(REQUIRED.daily_neurons),
  reserved_neurons: v.nullish(FIELDS.reserved_neurons),
  overage_cap_neurons: v.optional(FIELDS.overage_cap_neurons),
  monthly_cap_neurons: v.optional(FIELDS.monthly_cap_neurons),
  overage_usd_per_1000_neurons: v.nullish(FIELDS.overage_usd_per_1000_neurons),
  max_in_flight: v.nullish(FIELDS.max_in_flight),
  models: v.optional(FIELDS.models),
  aliases: v.nullish(v.pipe(record(alias, v.nullable(aliased)), v.maxEntries(MOST_NAMES))),
  fallbacks: v.nullish(v.pipe(record(alias, v.nullable(modelList)), v.maxEntries(MOST_NAMES))),
  cache_ttl_s: v.nullish(FIELDS.cache_ttl_s),
  daily_images_per_user: v.nullish(FIELDS.daily_images_per_user),
  anonymous_images: v.nullish(FIELDS.anonymous_images),
  content_retention_days: v.nullish(FIELDS.content_retention_days),
  perspective_fallback: v.nullish(FIELDS.perspective_fallback),
  suggestion_retention_days: v.nullish(FIELDS.suggestion_retention_days),
  verdict_retention_days: v.nullish(FIELDS.verdict_retention_days),
  event_retention_days: v.nullish(FIELDS.event_retention_days),
  response_retention_s: v.nullish(FIELDS.response_retention_s),
  default_max_tokens: v.nullish(FIELDS.default_max_tokens),
  compact_prompts: v.nullish(FIELDS.compact_prompts),
  cache_max_temperature: v.nullish(FIELDS.cache_max_temperature),
  suspended: v.nullish(FIELDS.suspended),
  rpm: v.nullish(v.pipe(record(rateClass, v.nullable(perMinute)), v.maxEntries(MOST_NAMES))),
});

export const TenantOutput = v.object({
  id: v.pipe(name("The tenant's id."), v.regex(TENANT_ID)),
  object: v.literal("tenant"),
  ...REQUIRED,
  ...FIELDS,
  created_at: time("When it was made."),
  updated_at: time("When its settings last changed."),
  version: wholeNumber(1, Number.MAX_SAFE_INTEGER, "Grows with each change; `If-Match` names it."),
});

interface TenantProfile {
  readonly id: string;
  readonly settings: Settings;
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export const toTenant = (profile: TenantProfile): v.InferOutput<typeof TenantOutput> => ({
  id: profile.id,
  object: "tenant",
  ...(structuredClone(profile.settings) as Mutable<Settings>),
  created_at: isoTime(profile.createdAtMs),
  updated_at: isoTime(profile.updatedAtMs),
  version: profile.version,
});

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

/** Without the keys whose value is undefined: they would hide the defaults. */
export const given = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
