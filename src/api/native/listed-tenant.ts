import * as v from "valibot";
import type { ListedTenantRow, SharingTenant } from "../../domain/account/listed-tenant.ts";
import { toNeurons } from "../../domain/ledger/micro-neurons.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import { microNeuronsOut, name, time, wholeNumber } from "../field.ts";

// Tenants as the account knows them: what their settings promise, and what they reported of today.

const reportedAt = v.nullable(
  time("When it reported last: amounts are as of then. Null: not today yet."),
);

/** Null in one whose deletion has begun. */
const ofSettings = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);

export const ListedTenantOutput = v.object({
  id: name("The tenant's id."),
  object: v.literal("listed_tenant"),
  state: v.pipe(
    v.picklist(["active", "suspended", "deleting"]),
    v.description("`deleting`: its end has begun, and its settings are gone."),
  ),
  plan: ofSettings(v.picklist(["free", "paid"])),
  daily_neurons: ofSettings(v.pipe(v.number(), v.description("Its quota of a UTC day."))),
  reserved_neurons: ofSettings(v.pipe(v.number(), v.description("Its floor in the pool."))),
  version: ofSettings(
    wholeNumber(0, Number.MAX_SAFE_INTEGER, "Of its settings; `If-Match` names it."),
  ),
  spent_micro_neurons: microNeuronsOut("Of today, as it reported last."),
  reported_at: reportedAt,
});

export const toListedTenant = ({
  id,
  state,
  settings,
  today,
}: ListedTenantRow): v.InferOutput<typeof ListedTenantOutput> => ({
  id,
  object: "listed_tenant",
  state,
  plan: settings?.plan ?? null,
  daily_neurons: settings && toNeurons(settings.daily),
  reserved_neurons: settings && toNeurons(settings.floor),
  version: settings?.version ?? null,
  spent_micro_neurons: today.spent,
  reported_at: timeOf(today.reportedAtMs),
});

export const SharingTenantOutput = v.object({
  tenant: name("A tenant's id."),
  granted_micro_neurons: microNeuronsOut("Its allowance of the day so far."),
  spent_micro_neurons: microNeuronsOut("As it reported last."),
  held_micro_neurons: microNeuronsOut("By its calls in progress, as it reported last."),
  leased_micro_neurons: microNeuronsOut("Granted, and not reported as used."),
  reserved_micro_neurons: microNeuronsOut("Its floor."),
  promised_micro_neurons: microNeuronsOut("Its quota, on the free plan."),
  reported_at: reportedAt,
});

export const toSharingTenant = ({
  id,
  today,
  floor,
  promised,
}: SharingTenant): v.InferOutput<typeof SharingTenantOutput> => ({
  tenant: id,
  granted_micro_neurons: today.granted,
  spent_micro_neurons: today.spent,
  held_micro_neurons: today.held,
  leased_micro_neurons: today.leased,
  reserved_micro_neurons: floor,
  promised_micro_neurons: promised,
  reported_at: timeOf(today.reportedAtMs),
});

const timeOf = (ms: number): string | null => (ms === 0 ? null : isoTime(ms));
