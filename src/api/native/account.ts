import * as v from "valibot";
import type { PoolOverview } from "../../domain/account/pool-overview.ts";
import type { AccountSettings } from "../../domain/account/account-terms.ts";
import { parseUsdRate } from "../../domain/ledger/money.ts";
import { endOf, formatDay, isoTime } from "../../domain/ledger/period.ts";
import { stated } from "../../http/field-errors.ts";
import { microNeuronsOut, name, time, wholeNumber } from "../field.ts";
import { neurons, perMinute, rateClass } from "./settings.ts";
import { toWarning, WarningOutput } from "./warning.ts";
import { record, strictObject } from "../object-input.ts";

// The account that all tenants share, on the wire. What is promised, leased, spent and free of its day.

/** Above nothing: with a share of 0 no call could be admitted. */
const share = (description: string) =>
  v.pipe(v.number(), v.gtValue(0), v.maxValue(1), v.description(description));

const FIELDS = {
  daily_cap_neurons: neurons(
    "Neurons a UTC day for all tenants together; null: what the plan has.",
  ),
  monthly_cap_usd: v.pipe(
    v.string(),
    v.maxLength(20),
    v.check(stated("must be an amount such as 25.50", (t: string) => parseUsdRate(t) !== null)),
    v.description(
      "What neurons beyond the free allocation may cost in a UTC month, USD as a decimal string; null: no such cap.",
    ),
  ),
  safety_margin_neurons: neurons(
    "Neurons of the day that are granted to nobody. A larger one that reconciliation measured holds instead.",
  ),
  thresholds: v.pipe(
    v.array(v.pipe(v.number(), v.minValue(0.01), v.maxValue(1))),
    v.maxLength(10),
    v.description("Shares of the pool: `account.threshold` is sent when one of them is spent."),
  ),
  max_hold_share: share(
    "The share of the day's pool that one call may hold, or the tenant's `reserved_neurons` if that is more. A larger call is `over_limit`.",
  ),
  max_unspent_share: share(
    "The share of what is unspent that one tenant may have unused, beyond its `reserved_neurons`, while another tenant asks too. A call beyond it is `quota_reserved`.",
  ),
};

/** RFC 7396: null means the default; `rpm` merges by key. */
export const AccountPatchInput = strictObject({
  daily_cap_neurons: v.nullish(FIELDS.daily_cap_neurons),
  monthly_cap_usd: v.nullish(FIELDS.monthly_cap_usd),
  rpm: v.nullish(v.pipe(record(rateClass, v.nullable(perMinute)), v.maxEntries(100))),
  safety_margin_neurons: v.nullish(FIELDS.safety_margin_neurons),
  thresholds: v.nullish(FIELDS.thresholds),
  max_hold_share: v.nullish(FIELDS.max_hold_share),
  max_unspent_share: v.nullish(FIELDS.max_unspent_share),
});

/** Where nothing is shared out, nothing is reported either: usage tells then. */
const ofPool = (description: string) =>
  v.nullable(microNeuronsOut(`${description} Null: nothing is shared out.`));

export const AccountOutput = v.object({
  object: v.literal("account"),
  cloudflare_plan: v.picklist(["free", "paid"]),
  day: v.pipe(v.string(), v.description("The UTC day that the amounts are of.")),
  resets_at: time("When the day ends."),
  allocation_micro_neurons: microNeuronsOut("What the account has each day without charge."),
  pool: v.object({
    size_micro_neurons: v.nullable(
      microNeuronsOut("What may be granted, the margin taken off; null: nothing is shared out."),
    ),
    margin_micro_neurons: microNeuronsOut("What is granted to nobody."),
    spent_micro_neurons: ofPool("As tenants reported last."),
    held_micro_neurons: ofPool("By calls in progress, as reported last."),
    leased_micro_neurons: ofPool("Granted to tenants, and not reported as used."),
    free_micro_neurons: ofPool("Not granted to anybody."),
  }),
  floors_micro_neurons: microNeuronsOut("What is kept for tenants before the rest is shared."),
  promised_micro_neurons: microNeuronsOut("Quotas of free tenants, and floors beyond them."),
  closure: v.nullable(
    v.object({
      closed_at: time("When Workers AI said that the allocation of the day is gone."),
      probe_at: time("When one call may find out whether it still is."),
    }),
  ),
  rates: v.array(
    v.object({
      name: name("A rate class."),
      limit: wholeNumber(0, Number.MAX_SAFE_INTEGER, "Of all tenants together, a minute."),
      remaining: wholeNumber(0, Number.MAX_SAFE_INTEGER, "What is left of this minute."),
      resets_at: v.nullable(time("When the oldest counted one leaves the minute.")),
    }),
  ),
  tenant_count: wholeNumber(
    0,
    Number.MAX_SAFE_INTEGER,
    "How many there are; `GET /admin/account/tenants` lists them.",
  ),
  warnings: v.array(WarningOutput),
  settings: v.object({
    daily_cap_neurons: v.nullable(FIELDS.daily_cap_neurons),
    monthly_cap_usd: v.nullable(FIELDS.monthly_cap_usd),
    rpm: v.record(v.string(), v.number()),
    safety_margin_neurons: FIELDS.safety_margin_neurons,
    thresholds: FIELDS.thresholds,
    max_hold_share: FIELDS.max_hold_share,
    max_unspent_share: FIELDS.max_unspent_share,
  }),
});

export const toAccount = (found: PoolOverview): v.InferOutput<typeof AccountOutput> => ({
  object: "account",
  cloudflare_plan: found.plan,
  day: formatDay(found.day),
  resets_at: isoTime(endOf(found.day)),
  allocation_micro_neurons: found.allocation,
  pool: {
    size_micro_neurons: found.size,
    margin_micro_neurons: found.margin,
    spent_micro_neurons: found.spent,
    held_micro_neurons: found.held,
    leased_micro_neurons: found.leased,
    free_micro_neurons: found.free,
  },
  floors_micro_neurons: found.floors,
  promised_micro_neurons: found.promised,
  closure:
    found.closure === null
      ? null
      : {
          closed_at: isoTime(found.closure.closedAtMs),
          probe_at: isoTime(found.closure.probeAtMs),
        },
  rates: found.rates.map(({ name: of, limit, remaining, freesAtMs }) => ({
    name: of,
    limit,
    remaining,
    resets_at: freesAtMs === null ? null : isoTime(freesAtMs),
  })),
  tenant_count: found.tenants,
  warnings: found.warnings.map(toWarning),
  settings: toSettings(found.settings),
});

const toSettings = (settings: AccountSettings) => ({
  daily_cap_neurons: settings.daily_cap_neurons,
  monthly_cap_usd: settings.monthly_cap_usd,
  rpm: { ...settings.rpm },
  safety_margin_neurons: settings.safety_margin_neurons,
  thresholds: [...settings.thresholds],
  max_hold_share: settings.max_hold_share,
  max_unspent_share: settings.max_unspent_share,
});
