import type { Limits, Plan, Settings, Tenant } from "../api/shapes.ts";

// The form of a tenant's settings: its fields as typed, the body that is sent, and the effects.

/** The classes whose rates the form offers. Rates of other classes stay as they are. */
export const RATE_CLASSES = [
  "requests",
  "text_generation",
  "text_classification",
  "image_classification",
  "text_embeddings",
  "text_to_image",
  "speech_to_text",
] as const;

type PerspectiveFallback = Settings["perspective_fallback"];

export interface SettingsFields {
  readonly plan: Plan;
  readonly daily_neurons: string;
  readonly reserved_neurons: string;
  readonly overage_cap_neurons: string;
  /** The value of a checkbox. An empty cap alone does not mean unlimited. */
  readonly overage_unlimited: boolean;
  readonly monthly_cap_neurons: string;
  readonly overage_usd_per_1000_neurons: string;
  readonly max_in_flight: string;
  /** Empty: its default. */
  readonly rpm: Readonly<Record<string, string>>;
  readonly all_models: boolean;
  /** One on each line. */
  readonly models: string;
  readonly content_retention_days: string;
  readonly suggestion_retention_days: string;
  readonly perspective_fallback: PerspectiveFallback;
  readonly verdict_retention_days: string;
  readonly event_retention_days: string;
  readonly response_retention_s: string;
  readonly default_max_tokens: string;
  readonly cache_ttl_s: string;
  readonly daily_images_per_user: string;
  readonly suspended: boolean;
}

export const NEW_TENANT: SettingsFields = {
  plan: "free",
  daily_neurons: "1000",
  reserved_neurons: "0",
  overage_cap_neurons: "",
  overage_unlimited: false,
  monthly_cap_neurons: "",
  overage_usd_per_1000_neurons: "0.011",
  max_in_flight: "50",
  rpm: { requests: "300" },
  all_models: true,
  models: "",
  content_retention_days: "0",
  suggestion_retention_days: "0",
  perspective_fallback: "off",
  verdict_retention_days: "30",
  event_retention_days: "30",
  response_retention_s: "86400",
  default_max_tokens: "1024",
  cache_ttl_s: "0",
  daily_images_per_user: "50",
  suspended: false,
};

/** No cap is shown as an empty field. */
const orEmpty = (cap: number | string | null): string => (cap === null ? "" : String(cap));

export const isUnlimited = (tenant: Settings): boolean =>
  tenant.overage_cap_neurons === "unlimited";

export const fieldsOf = (tenant: Settings): SettingsFields => ({
  plan: tenant.plan,
  daily_neurons: String(tenant.daily_neurons),
  reserved_neurons: String(tenant.reserved_neurons),
  overage_cap_neurons: isUnlimited(tenant) ? "" : orEmpty(tenant.overage_cap_neurons),
  overage_unlimited: isUnlimited(tenant),
  monthly_cap_neurons: orEmpty(tenant.monthly_cap_neurons),
  overage_usd_per_1000_neurons: tenant.overage_usd_per_1000_neurons,
  max_in_flight: String(tenant.max_in_flight),
  rpm: Object.fromEntries(Object.entries(tenant.rpm).map(([name, n]) => [name, String(n)])),
  all_models: tenant.models === null,
  models: (tenant.models ?? []).join("\n"),
  content_retention_days: String(tenant.content_retention_days),
  suggestion_retention_days: String(tenant.suggestion_retention_days),
  perspective_fallback: tenant.perspective_fallback,
  verdict_retention_days: String(tenant.verdict_retention_days),
  event_retention_days: String(tenant.event_retention_days),
  response_retention_s: String(tenant.response_retention_s),
  default_max_tokens: String(tenant.default_max_tokens),
  cache_ttl_s: String(tenant.cache_ttl_s),
  daily_images_per_user: String(tenant.daily_images_per_user),
  suspended: tenant.suspended,
});

/** A text that is no number is sent as it is: the server's error at the field says what it must be. */
const number = (text: string): number | string => {
  const n = Number(text.trim());
  return text.trim() !== "" && Number.isFinite(n) ? n : text;
};

const orNone = (text: string): number | string | null => (text.trim() === "" ? null : number(text));

/** On the paid plan an empty field is sent as null, and the server refuses it at the field. */
function capOf(fields: SettingsFields): number | string | null {
  if (fields.plan === "free") return null;
  return fields.overage_unlimited ? "unlimited" : orNone(fields.overage_cap_neurons);
}

const lines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

export type Body = Readonly<Record<string, unknown>>;

/** All settings, as the body of a PUT. */
export const bodyOf = (fields: SettingsFields): Body => ({
  plan: fields.plan,
  daily_neurons: number(fields.daily_neurons),
  reserved_neurons: number(fields.reserved_neurons),
  overage_cap_neurons: capOf(fields),
  monthly_cap_neurons: orNone(fields.monthly_cap_neurons),
  overage_usd_per_1000_neurons: fields.overage_usd_per_1000_neurons.trim(),
  max_in_flight: number(fields.max_in_flight),
  rpm: Object.fromEntries(
    Object.entries(fields.rpm)
      .filter(([, text]) => text.trim() !== "")
      .map(([name, text]) => [name, number(text)]),
  ),
  models: fields.all_models ? null : lines(fields.models),
  content_retention_days: number(fields.content_retention_days),
  suggestion_retention_days: number(fields.suggestion_retention_days),
  perspective_fallback: fields.perspective_fallback,
  verdict_retention_days: number(fields.verdict_retention_days),
  event_retention_days: number(fields.event_retention_days),
  response_retention_s: number(fields.response_retention_s),
  default_max_tokens: number(fields.default_max_tokens),
  cache_ttl_s: number(fields.cache_ttl_s),
  daily_images_per_user: number(fields.daily_images_per_user),
  suspended: fields.suspended,
});

/** Only the changed settings, as the body of a PATCH. An emptied rate goes back to its default. */
export function patchOf(before: SettingsFields, after: SettingsFields): Body {
  const [old, now] = [bodyOf(before), bodyOf(after)];
  const changed = Object.entries(now).filter(
    ([name, value]) => name !== "rpm" && JSON.stringify(value) !== JSON.stringify(old[name]),
  );
  const [oldRates, rates] = [old["rpm"] as Body, now["rpm"] as Body];
  const names = new Set([...Object.keys(oldRates), ...Object.keys(rates)]);
  const rpm = Object.fromEntries(
    [...names]
      .filter((name) => oldRates[name] !== rates[name])
      .map((name) => [name, rates[name] ?? null]),
  );
  return {
    ...Object.fromEntries(changed),
    ...(Object.keys(rpm).length > 0 && { rpm }),
  };
}

export interface Change {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** The changes of a patch, in words. */
export function changesOf(patch: Body, before: Settings): readonly Change[] {
  return Object.entries(patch).flatMap(([name, value]) =>
    name === "rpm"
      ? Object.entries(value as Body).map(([rate, perMinute]) => ({
          name: `rpm.${rate}`,
          before: shown(before.rpm[rate] ?? "default"),
          after: shown(perMinute ?? "default"),
        }))
      : [{ name, before: shown(before[name as keyof Settings]), after: shown(value) }],
  );
}

const EMPTY: Readonly<Record<string, string>> = {
  null: "none",
  true: "yes",
  false: "no",
  "": "empty",
};

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "no model" : value.join(", ");
  const text = String(value);
  return EMPTY[text] ?? text;
}

const MICRO = 1_000_000;

/** The effects of a change on today's calls, shown before it is saved. */
export function effectsOf(fields: SettingsFields, tenant: Tenant, limits: Limits | null): string[] {
  const effects: string[] = [];
  const daily = Number(fields.daily_neurons);
  const posted = (limits?.posted_micro_neurons ?? 0) / MICRO;
  const granted =
    (limits?.grants ?? []).reduce((sum, g) => sum + g.remaining_micro_neurons, 0) / MICRO;
  const paid = fields.plan === "paid";
  const unlimited = paid && fields.overage_unlimited;
  const cap = paid ? Number(fields.overage_cap_neurons) : 0;
  const ceiling = unlimited ? null : daily + granted + cap;
  if (fields.suspended && !tenant.suspended) {
    effects.push("From the next call on, every call with a key of this tenant is refused.");
  }
  if (!fields.suspended && tenant.suspended) effects.push("Its keys work again.");
  if (limits !== null && ceiling !== null && posted >= ceiling) {
    effects.push(
      `Today's ${round(posted)} neurons are at or above the new limit of ${round(ceiling)}: calls are refused until 00:00 UTC.`,
    );
  }
  if (paid && (tenant.plan === "free" || (unlimited && !isUnlimited(tenant)))) {
    effects.push(
      unlimited
        ? `Calls beyond ${round(daily)} neurons a day are admitted without a limit, at $${fields.overage_usd_per_1000_neurons} per 1,000.`
        : `Calls beyond ${round(daily)} neurons a day are admitted up to ${round(cap)} more, at $${fields.overage_usd_per_1000_neurons} per 1,000.`,
    );
  }
  if (fields.plan === "free" && tenant.plan === "paid") {
    effects.push(
      `${round(daily)} neurons a day become a hard stop. What was charged stays as it is.`,
    );
  }
  if (Number(fields.reserved_neurons) > daily) {
    effects.push("More is reserved than the tenant may use in a day: nobody can use the rest.");
  }
  for (const rate of limits?.rates ?? []) {
    const next = fields.rpm[rate.name]?.trim() ?? "";
    const used = rate.limit - rate.remaining;
    if (next !== "" && Number(next) < used) {
      effects.push(
        `${used} ${rate.name} calls were admitted in the last minute: more are refused until that is below ${next}.`,
      );
    }
  }
  if (Number(fields.verdict_retention_days) < tenant.verdict_retention_days) {
    effects.push("Verdicts that are older than the new retention are deleted for good.");
  }
  if (Number(fields.response_retention_s) < tenant.response_retention_s) {
    effects.push("Responses that are older than the new retention are deleted for good.");
  }
  if (Number(fields.suggestion_retention_days) < tenant.suggestion_retention_days) {
    effects.push("Suggested labels that are older than the new retention are deleted for good.");
  }
  return effects;
}

const round = (n: number): string => n.toLocaleString("en", { maximumFractionDigits: 3 });
