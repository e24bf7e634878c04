import {
  type CountBasis,
  platformLines,
  type PlatformCounts,
} from "../catalogue/platform-prices.ts";
import type { Resource } from "../catalogue/platform-prices.ts";
import type { Day } from "../ledger/period.ts";
import { CLOUDFLARE_USD_PER_1000, countedUsd, type PricedCount } from "../ledger/money.ts";
import { workCount, workSum, type WorkSums } from "./work.ts";

// What a day cost, by Cloudflare's services: counts at the prices of the price book, before what the
// account's plan includes. Each count says where it is from; what nobody counted is null, never 0.

export const SERVICES = [
  "ai",
  "workers",
  "durable_objects",
  "d1",
  "kv",
  "r2",
  "queues",
  "workflows",
  "vectorize",
  "images",
] as const;
export type Service = (typeof SERVICES)[number];

export type CostResource = Resource | "ai_neurons" | "ai_other_servers";

const RESOURCES: Readonly<Record<Exclude<Service, "ai">, readonly Resource[]>> = {
  workers: ["workers_requests", "workers_cpu"],
  durable_objects: [
    "object_requests",
    "object_duration",
    "object_rows_read",
    "object_rows_written",
    "object_storage",
  ],
  d1: ["d1_rows_read", "d1_rows_written", "d1_storage"],
  kv: ["kv_reads", "kv_writes", "kv_deletes", "kv_lists", "kv_storage"],
  r2: ["r2_writes", "r2_reads", "r2_storage"],
  queues: ["queue_operations"],
  workflows: ["workflow_requests", "workflow_steps", "workflow_storage"],
  vectorize: ["vectorize_queried", "vectorize_stored"],
  images: ["image_transformations"],
};

/** `upstream`: as Cloudflare counted it, for the whole account. */
export type CostBasis = "upstream" | CountBasis;

/** From the surest to the least sure. */
const BASES: readonly CostBasis[] = ["upstream", "counted", "estimated", "unknown"];

export interface CostLine {
  readonly resource: CostResource;
  readonly unit: string;
  /** Null: unknown. */
  readonly count: bigint | null;
  readonly basis: CostBasis;
  /** A sentence: what was counted, or what it was estimated from. */
  readonly how: string;
  /** Null: the price is not known. */
  readonly usd: string | null;
  readonly per: number;
}

export interface ServiceCost {
  readonly service: Service;
  readonly lines: readonly CostLine[];
}

export interface CostDay {
  readonly day: Day;
  readonly services: readonly ServiceCost[];
  readonly work: WorkSums;
}

/** What the engines of one name did on a day. Amounts are µN. */
export interface EngineDay {
  readonly requests: number;
  readonly microNeurons: bigint;
  /** Of it, by an estimator or at the bound. */
  readonly uncertain: bigint;
  /** Used beyond what was held: not in `microNeurons`, and the platform's cost too. */
  readonly overrun: bigint;
}

/** What our own records say of a day. */
export interface DayFigures {
  readonly day: Day;
  readonly engines: ReadonlyMap<string, EngineDay>;
  readonly platform: PlatformCounts;
}

/** What Cloudflare's analytics say of a day of the account; what they do not say is not there. */
export interface UpstreamDay {
  /** µN, of all models. */
  readonly microNeurons: bigint | null;
  readonly resources: ReadonlyMap<Resource, bigint>;
}

export const NOTHING_UPSTREAM: UpstreamDay = { microNeurons: null, resources: new Map() };

const NEURONS = {
  resource: "ai_neurons",
  unit: "micro_neuron",
  usd: CLOUDFLARE_USD_PER_1000,
  per: 1_000_000_000,
} as const;

/**
 * @param inference what the deployment runs on: a call that died may have run there
 * @param upstream of the same day; `NOTHING_UPSTREAM` for one tenant: Cloudflare does not know tenants
 */
export function costDay(
  figures: DayFigures,
  inference: "workers-ai" | "openai" | "embedded",
  upstream: UpstreamDay,
): CostDay {
  const models = modelLines(figures.engines, inference, upstream.microNeurons);
  return {
    day: figures.day,
    services: serviceCosts(models, figures.platform, upstream.resources),
    work: figures.platform.work,
  };
}

/** A day that has not begun: nothing of it is known, which is not 0. */
export const unbegun = (day: CostDay): CostDay => ({
  ...day,
  services: day.services.map(({ service, lines }) => ({
    service,
    lines: lines.map((line) => ({ ...line, count: null, basis: "unknown", how: UNBEGUN })),
  })),
});

const UNBEGUN = "The day has not begun.";

function serviceCosts(
  models: readonly CostLine[],
  platform: PlatformCounts,
  upstream: UpstreamDay["resources"],
): readonly ServiceCost[] {
  const lines = new Map(
    platformLines(platform, "paid").map((line): [Resource, CostLine] => {
      const { resource, unit, usd, per } = line;
      const counted = upstream.get(resource);
      const ours = line.count === null ? null : BigInt(line.count);
      return [
        resource,
        counted === undefined
          ? { resource, unit, count: ours, basis: line.basis, how: line.how, usd, per }
          : { resource, unit, count: counted, basis: "upstream", how: UPSTREAM, usd, per },
      ];
    }),
  );
  return SERVICES.map((service) => ({
    service,
    lines:
      service === "ai"
        ? models
        : RESOURCES[service].flatMap((resource) => lines.get(resource) ?? []),
  }));
}

/** What a number of documents cost, by Cloudflare's services. */
export interface DocumentCosts {
  /** Stored by requests, and of ended runs of pipelines. */
  readonly documents: number;
  readonly services: readonly ServiceCost[];
}

/** Of our own records alone: Cloudflare does not know documents. */
export function documentCosts(work: WorkSums): DocumentCosts {
  const neurons: CostLine = {
    ...NEURONS,
    count: workSum(work, "document_micro_neurons"),
    basis: "counted",
    how: "The journals' charges of the calls for documents, whatever engine answered them.",
  };
  const ofOthers = { batches: 0n, batch_steps: 0n, transformations: 0n };
  const platform = {
    calls: workCount(work, "document_calls"),
    refused: 0,
    cached: 0,
    pictures: 0,
    reportRows: null,
    work: { ...work, ...ofOthers },
  };
  return {
    documents: workCount(work, "documents") + workCount(work, "pipeline_documents"),
    services: serviceCosts([neurons], platform, NOTHING_UPSTREAM.resources),
  };
}

const UPSTREAM = "As Cloudflare's analytics count it, for the whole account.";

function modelLines(
  engines: DayFigures["engines"],
  inference: "workers-ai" | "openai" | "embedded",
  upstream: bigint | null,
): readonly CostLine[] {
  // A call that expired is charged, and nobody knows what ran.
  const ranOn = (engine: "workers-ai" | "openai"): readonly EngineDay[] =>
    [engine, ...(inference === engine ? ["unknown"] : [])].flatMap(
      (name) => engines.get(name) ?? [],
    );
  const ours = ranOn("workers-ai");
  const sum = (amountOf: (day: EngineDay) => bigint) =>
    ours.reduce((all, day) => all + amountOf(day), 0n);
  const neurons: CostLine = {
    ...NEURONS,
    ...(upstream === null
      ? {
          count: sum((day) => day.microNeurons + day.overrun),
          basis: sum((day) => day.uncertain) > 0n ? "estimated" : "counted",
          how: "The journals' charges for Workers AI, and what ran beyond its hold.",
        }
      : { count: upstream, basis: "upstream", how: UPSTREAM }),
  };
  const others = ranOn("openai").reduce((all, { requests }) => all + requests, 0);
  if (others === 0) return [neurons];
  const how = `${OTHER_SERVER} Requests: ${others}.`;
  return [
    neurons,
    {
      resource: "ai_other_servers",
      unit: "request",
      count: null,
      basis: "unknown",
      how,
      usd: null,
      per: 1,
    },
  ];
}

const OTHER_SERVER = "What the OpenAI-compatible server charges is not known here.";

const priced = ({ count, usd, per }: CostLine): readonly PricedCount[] =>
  count === null || usd === null ? [] : [{ count, usd, per }];

/** Exact; null: unknown. */
export const lineUsd = (line: CostLine): string | null => knownUsd([line]);

/** The sum of the lines of which the cost is known, exact; null: of none. */
export function knownUsd(lines: readonly CostLine[]): string | null {
  const parts = lines.flatMap(priced);
  return parts.length === 0 ? null : countedUsd(parts);
}

/** The resources of which the cost is unknown. */
export const unknownOf = (lines: readonly CostLine[]): readonly CostResource[] => [
  ...new Set(lines.filter((line) => priced(line).length === 0).map(({ resource }) => resource)),
];

/** The least sure basis of the lines whose cost is known; `unknown`: there are none. */
export function basisOf(lines: readonly CostLine[]): CostBasis {
  const known = lines.filter((line) => priced(line).length > 0);
  return BASES.findLast((basis) => known.some((line) => line.basis === basis)) ?? "unknown";
}

/** All days' lines of each service. */
export const servicesOf = (days: readonly CostDay[]): readonly ServiceCost[] =>
  SERVICES.map((service) => ({
    service,
    lines: days.flatMap(({ services }) =>
      services.flatMap((one) => (one.service === service ? one.lines : [])),
    ),
  }));
