import * as v from "valibot";
import { BASES, charged, type JournalLine } from "../domain/ledger.ts";
import { formatDay, isoTime } from "../domain/period.ts";
import { microNeuronsOut, name, time } from "./field.ts";

// A journal line on the wire. The contract, section 6.

export const JournalLineOutput = v.object({
  id: name("`jnl_` and a ULID."),
  object: v.literal("journal_line"),
  day: v.string(),
  admitted_at: time("When the call was admitted."),
  settled_at: time("When its hold became this line."),
  outcome: v.picklist(["posted", "voided", "expired"]),
  route: v.string(),
  request_id: v.string(),
  key_id: v.nullable(v.string()),
  user_id: v.nullable(v.string()),
  verdict_id: v.nullable(v.string()),
  held_micro_neurons: microNeuronsOut("The bound, reserved before the call."),
  micro_neurons: microNeuronsOut("What was charged: quota + grants + overage."),
  quota_micro_neurons: microNeuronsOut("Drawn on the day's quota."),
  granted_micro_neurons: microNeuronsOut("Drawn on grants."),
  grants: v.pipe(
    v.array(v.object({ id: v.string(), micro_neurons: microNeuronsOut("Drawn on it.") })),
    v.description("Which grants, in the order in which they were drawn on."),
  ),
  overage_micro_neurons: microNeuronsOut("Drawn beyond both, at the line's rate."),
  overrun_micro_neurons: microNeuronsOut("Used beyond the hold: the platform's cost."),
  overage_usd_per_1000_neurons: v.nullable(v.string()),
  items: v.array(
    v.object({
      stage: v.string(),
      input: v.string(),
      model: v.nullable(v.string()),
      engine: v.nullable(v.string()),
      priced_as: v.string(),
      units: v.record(v.string(), v.number()),
      micro_neurons: microNeuronsOut("Of this item."),
      basis: v.picklist(BASES),
    }),
  ),
  price_book: v.pipe(v.string(), v.description("The version of the prices that were taken.")),
});

export const toJournalLine = (line: JournalLine) => ({
  id: line.callId,
  object: "journal_line" as const,
  day: formatDay(line.day),
  admitted_at: isoTime(line.admittedAtMs),
  settled_at: isoTime(line.settledAtMs),
  outcome: line.outcome,
  route: line.route,
  request_id: line.requestId,
  key_id: line.keyId,
  user_id: line.userId,
  verdict_id: line.verdictId,
  held_micro_neurons: line.held,
  micro_neurons: charged(line),
  quota_micro_neurons: line.drawn.quota,
  granted_micro_neurons: line.drawn.granted,
  grants: line.grants.map(({ grantId, microNeurons }) => ({
    id: grantId,
    micro_neurons: microNeurons as number,
  })),
  overage_micro_neurons: line.drawn.overage,
  overrun_micro_neurons: line.overrun,
  overage_usd_per_1000_neurons: line.overageUsdPer1000,
  items: line.items.map((item) => ({
    stage: item.stage,
    input: item.input,
    model: item.model,
    engine: item.engine,
    priced_as: item.pricedAs,
    units: item.units as Readonly<Record<string, number>>,
    micro_neurons: item.microNeurons,
    basis: item.basis,
  })),
  price_book: line.priceBook,
});
