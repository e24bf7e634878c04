import * as v from "valibot";
import { PLATFORM_PRICE_BOOK } from "../../domain/catalogue/platform-prices.ts";
import { formatDay } from "../../domain/ledger/period.ts";
import {
  basisOf,
  type CostDay,
  type CostLine,
  documentCosts,
  knownUsd,
  lineUsd,
  type Service,
  SERVICES,
  type ServiceCost,
  servicesOf,
  unknownOf,
} from "../../domain/usage/cost-day.ts";
import { addNamed } from "../../domain/usage/usage-sum.ts";
import {
  batchRuns,
  type Executions,
  type PipelineRuns,
  pipelineRuns,
  type WorkSums,
} from "../../domain/usage/work.ts";
import type { Cell } from "../../http/csv.ts";
import { microNeuronsOut, time } from "../field.ts";

// The costs of days on the wire, and as a table.

const basis = v.pipe(
  v.picklist(["upstream", "counted", "estimated", "unknown"]),
  v.description(
    "`upstream`: Cloudflare's analytics of the account; `counted`, `estimated`: our own records. Of " +
      "several lines the least sure.",
  ),
);
const usd = v.nullable(
  v.pipe(
    v.string(),
    v.description("USD, an exact decimal, before what the plan includes; null: unknown."),
  ),
);
const unknown = v.pipe(
  v.array(v.string()),
  v.description("Resources of which the cost is unknown: it is not in the sum."),
);

const LineOutput = v.object({
  resource: v.string(),
  unit: v.string(),
  count: v.nullable(v.pipe(v.number(), v.description("Null: unknown."))),
  basis,
  cost_usd: usd,
});

const ServiceOutput = v.object({ cost_usd: usd, basis, unknown, lines: v.array(LineOutput) });
const SumOutput = v.object({ cost_usd: usd, basis, unknown });

const ofServices = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.object(Object.fromEntries(SERVICES.map((name) => [name, schema])) as Record<Service, Schema>);

export const CostDayOutput = v.object({
  object: v.literal("cost_day"),
  day: v.pipe(v.string(), v.description("A UTC day.")),
  services: ofServices(ServiceOutput),
  cost_usd: usd,
  unknown,
});

const ExecutionsOutput = v.object({
  executions: v.number(),
  completed: v.number(),
  steps: v.number(),
  duration_ms: v.pipe(v.number(), v.description("Of all of them together.")),
  micro_neurons: microNeuronsOut("The charges of their calls, which `ai` has too."),
});

const PipelinesOutput = v.object({
  ...ExecutionsOutput.entries,
  documents_succeeded: v.number(),
  documents_failed: v.pipe(
    v.number(),
    v.description("A run is completed when each document has an outcome, so also if all failed."),
  ),
});

export const CostsOutput = v.object({
  object: v.literal("costs"),
  from: v.string(),
  to: v.string(),
  tenant: v.nullable(v.string()),
  plan: v.pipe(
    v.picklist(["free", "paid"]),
    v.description("The account's Workers plan. On the free one nothing of this is billed."),
  ),
  price_book: v.string(),
  as_of: v.nullable(time("When the figures were last written or read.")),
  data: v.array(CostDayOutput),
  totals: v.object({ services: ofServices(SumOutput), cost_usd: usd, unknown }),
  documents: v.pipe(
    v.object({
      documents: v.pipe(
        v.number(),
        v.description(
          "Stored by requests, and of runs of pipelines that ended, failed ones included.",
        ),
      ),
      services: ofServices(SumOutput),
      cost_usd: usd,
      unknown,
    }),
    v.description(
      "What these documents cost, from our own records: it is a part of the totals. `ai` is what their " +
        "calls were charged.",
    ),
  ),
  executions: v.pipe(
    v.object({ pipelines: PipelinesOutput, batches: ExecutionsOutput }),
    v.description("Workflow executions that ended: runs of pipelines, and batches of verdicts."),
  ),
  resources: v.pipe(
    v.array(
      v.object({
        resource: v.string(),
        unit: v.string(),
        usd: v.nullable(v.string()),
        per: v.number(),
        how: v.string(),
      }),
    ),
    v.description("The price of each resource, and how the last day's count was made."),
  ),
});

const sumOf = ({ lines }: ServiceCost) => ({
  cost_usd: knownUsd(lines),
  basis: basisOf(lines),
  unknown: [...unknownOf(lines)],
});

const byService = <Value>(
  services: readonly ServiceCost[],
  valueOf: (service: ServiceCost) => Value,
): Record<Service, Value> =>
  Object.fromEntries(services.map((one) => [one.service, valueOf(one)])) as Record<Service, Value>;

const linesOf = (services: readonly ServiceCost[]): readonly CostLine[] =>
  services.flatMap(({ lines }) => lines);

export const toCostDay = ({ day, services }: CostDay): v.InferOutput<typeof CostDayOutput> => ({
  object: "cost_day",
  day: formatDay(day),
  services: byService(services, (service) => ({
    ...sumOf(service),
    lines: service.lines.map((line) => ({
      resource: line.resource,
      unit: line.unit,
      count: line.count === null ? null : Number(line.count),
      basis: line.basis,
      cost_usd: lineUsd(line),
    })),
  })),
  cost_usd: knownUsd(linesOf(services)),
  unknown: [...unknownOf(linesOf(services))],
});

interface Costs {
  readonly from: number;
  /** Included. */
  readonly to: number;
  readonly tenant: string | null;
  readonly plan: "free" | "paid";
  readonly asOf: string | null;
  readonly days: readonly CostDay[];
}

const sumsOf = (services: readonly ServiceCost[]) => ({
  services: byService(services, sumOf),
  cost_usd: knownUsd(linesOf(services)),
  unknown: [...unknownOf(linesOf(services))],
});

const toExecutions = ({
  executions,
  completed,
  steps,
  durationMs,
  microNeurons,
}: Executions): v.InferOutput<typeof ExecutionsOutput> => ({
  executions,
  completed,
  steps,
  duration_ms: durationMs,
  micro_neurons: Number(microNeurons),
});

const toPipelines = (runs: PipelineRuns): v.InferOutput<typeof PipelinesOutput> => ({
  ...toExecutions(runs),
  documents_succeeded: runs.documentsSucceeded,
  documents_failed: runs.documentsFailed,
});

export function costsBody(costs: Costs): v.InferOutput<typeof CostsOutput> {
  const { from, to, tenant, plan, asOf, days } = costs;
  const work = days.reduce<WorkSums>((sum, day) => addNamed(sum, day.work), {});
  const { documents, services: ofDocuments } = documentCosts(work);
  return {
    object: "costs",
    from: formatDay(from),
    to: formatDay(to),
    tenant,
    plan,
    price_book: PLATFORM_PRICE_BOOK,
    as_of: asOf,
    data: days.map(toCostDay),
    totals: sumsOf(servicesOf(days)),
    documents: { documents, ...sumsOf(ofDocuments) },
    executions: {
      pipelines: toPipelines(pipelineRuns(work)),
      batches: toExecutions(batchRuns(work)),
    },
    resources: linesOf(days.at(-1)?.services ?? []).map(
      ({ resource, unit, usd: price, per, how }) => ({
        resource,
        unit,
        usd: price,
        per,
        how,
      }),
    ),
  };
}

export const COST_COLUMNS: readonly string[] = [
  "day",
  ...SERVICES.flatMap((service) => [`${service}_usd`, `${service}_basis`]),
  "cost_usd",
  "unknown",
];

export const toCostCells = ({ day, services }: CostDay): readonly Cell[] => [
  formatDay(day),
  ...services.flatMap(({ lines }) => [knownUsd(lines), basisOf(lines)]),
  knownUsd(linesOf(services)),
  unknownOf(linesOf(services)).join(" "),
];
