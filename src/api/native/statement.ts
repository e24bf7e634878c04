import * as v from "valibot";
import { MICRO_PER_NEURON } from "../../domain/ledger/micro-neurons.ts";
import { formatDay, formatMonth, isoTime, type Month } from "../../domain/ledger/period.ts";
import type {
  Statement,
  StatementAdjustment,
  StatementDay,
  StatementLine,
  StatementSums,
} from "../../domain/usage/statement.ts";
import { microNeuronsOut, time } from "../field.ts";

// A month's statement on the wire.

const usd = (description: string) =>
  v.pipe(v.string(), v.description(`${description} USD, an exact decimal.`));

const LineOutput = v.object({
  model: v.string(),
  engine: v.string(),
  priced_as: v.string(),
  task: v.string(),
  engine_requests: v.number(),
  failed: v.number(),
  units: v.record(v.string(), v.number()),
  micro_neurons: microNeuronsOut("Charged for what ran."),
  neurons: v.number(),
  cost_usd: usd("At Cloudflare's rate."),
});

const sums = {
  calls: v.number(),
  used_micro_neurons: microNeuronsOut("What ran, before adjustments."),
  micro_neurons: microNeuronsOut("Quota + grants + overage, adjustments included."),
  neurons: v.number(),
  quota_micro_neurons: microNeuronsOut("Drawn on the day's quota."),
  granted_micro_neurons: microNeuronsOut("Drawn on grants."),
  overage_micro_neurons: microNeuronsOut("Drawn beyond both."),
  adjusted_micro_neurons: microNeuronsOut("Given back by adjustments: negative or 0."),
  overage: v.pipe(
    v.array(
      v.object({
        usd_per_1000_neurons: v.string(),
        micro_neurons: microNeuronsOut("Drawn at this rate."),
        charge_usd: usd("What is owed for it."),
      }),
    ),
    v.description("By the rate at which it was posted."),
  ),
  cost_usd: usd("Of what ran, at Cloudflare's rate."),
  charge_usd: usd("What is owed."),
  adds_up: v.pipe(
    v.boolean(),
    v.description("Whether the lines are what was drawn, to the micro-neuron."),
  ),
};

const AdjustmentOutput = v.object({
  id: v.string(),
  adjusts: v.pipe(v.string(), v.description("The journal line.")),
  day: v.string(),
  at: time("When it was made."),
  micro_neurons: microNeuronsOut("Negative."),
  reason: v.string(),
});

export const StatementOutput = v.object({
  object: v.literal("statement"),
  tenant: v.string(),
  life: v.pipe(v.number(), v.description("Which life of the tenant's id, from 1.")),
  lives: v.pipe(
    v.array(v.number()),
    v.description(
      "All lives of the id that have figures in this month; a tenant sees its own only.",
    ),
  ),
  month: v.string(),
  is_open: v.pipe(
    v.boolean(),
    v.description("The month, or a call that was admitted in it, is not over: figures still grow."),
  ),
  as_of: time("When it was made."),
  price_book: v.pipe(
    v.string(),
    v.description("In force when it was made; each journal line names its own."),
  ),
  usd_per_1000_neurons: v.pipe(v.string(), v.description("Cloudflare's rate, of `cost_usd`.")),
  days: v.array(v.object({ day: v.string(), lines: v.array(LineOutput), ...sums })),
  models: v.pipe(v.array(LineOutput), v.description("The same lines over the month.")),
  adjustments: v.array(AdjustmentOutput),
  totals: v.object({
    ...sums,
    total_usd: v.pipe(v.string(), v.description("`charge_usd`, half up to cents.")),
  }),
});

/** What a statement is of, and from what. */
export interface StatementHead {
  readonly tenant: string;
  readonly generation: number;
  readonly lives: readonly number[];
  readonly month: Month;
  readonly isOpen: boolean;
  readonly asOfMs: number;
  readonly priceBook: string;
  readonly usdPer1000: string;
}

export type StatementBody = v.InferOutput<typeof StatementOutput>;

export const toStatement = (head: StatementHead, statement: Statement): StatementBody => ({
  object: "statement",
  tenant: head.tenant,
  life: head.generation,
  lives: [...head.lives],
  month: formatMonth(head.month),
  is_open: head.isOpen,
  as_of: isoTime(head.asOfMs),
  price_book: head.priceBook,
  usd_per_1000_neurons: head.usdPer1000,
  days: statement.days.map(toDay),
  models: statement.models.map(toLine),
  adjustments: statement.adjustments.map(toAdjustment),
  totals: { ...toSums(statement.sums), total_usd: statement.totalUsd },
});

const toDay = (day: StatementDay) => ({
  day: formatDay(day.day),
  lines: day.lines.map(toLine),
  ...toSums(day),
});

const toLine = (line: StatementLine) => ({
  model: line.model,
  engine: line.engine,
  priced_as: line.pricedAs,
  task: line.task,
  engine_requests: line.engineRequests,
  failed: line.failed,
  units: { ...line.units },
  micro_neurons: Number(line.microNeurons),
  neurons: Number(line.microNeurons) / MICRO_PER_NEURON,
  cost_usd: line.costUsd,
});

function toSums(made: StatementSums) {
  const drawn = made.quota + made.granted + made.overage;
  return {
    calls: made.calls,
    used_micro_neurons: Number(made.used),
    micro_neurons: Number(drawn),
    neurons: Number(drawn) / MICRO_PER_NEURON,
    quota_micro_neurons: Number(made.quota),
    granted_micro_neurons: Number(made.granted),
    overage_micro_neurons: Number(made.overage),
    adjusted_micro_neurons: Number(made.adjusted),
    overage: made.overages.map((overage) => ({
      usd_per_1000_neurons: overage.usdPer1000,
      micro_neurons: Number(overage.microNeurons),
      charge_usd: overage.chargeUsd,
    })),
    cost_usd: made.costUsd,
    charge_usd: made.chargeUsd,
    adds_up: made.addsUp,
  };
}

const toAdjustment = (made: StatementAdjustment) => ({
  id: made.id,
  adjusts: made.adjusts,
  day: formatDay(made.day),
  at: isoTime(made.atMs),
  micro_neurons: made.microNeurons,
  reason: made.reason,
});
