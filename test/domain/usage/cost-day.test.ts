import { describe, expect, it } from "vitest";
import {
  basisOf,
  costDay,
  type DayFigures,
  documentCosts,
  knownUsd,
  NOTHING_UPSTREAM,
  type Service,
  SERVICES,
  unknownOf,
} from "../../../src/domain/usage/cost-day.ts";

const NEURON = 1_000_000n;

const engine = (neurons: bigint, more: object = {}) => ({
  requests: 1,
  microNeurons: neurons * NEURON,
  uncertain: 0n,
  overrun: 0n,
  ...more,
});

const FIGURES: DayFigures = {
  day: 20_000,
  engines: new Map([
    ["workers-ai", engine(900n, { overrun: 50n * NEURON })],
    ["unknown", engine(50n, { uncertain: 50n * NEURON })],
    ["embedded", engine(7000n)],
    ["cache", engine(0n)],
  ]),
  platform: { calls: 1000, refused: 0, cached: 1, pictures: 0, reportRows: 10, work: {} },
};

const linesOf = (service: Service, ...rest: Parameters<typeof costDay>) =>
  costDay(...rest).services.find((one) => one.service === service)?.lines ?? [];

describe("the cost of a day", () => {
  it("has every service, and of the models only what ran on Workers AI", () => {
    const day = costDay(FIGURES, "workers-ai", NOTHING_UPSTREAM);
    expect(day.services.map(({ service }) => service)).toEqual(SERVICES);
    const [line, ...others] = linesOf("ai", FIGURES, "workers-ai", NOTHING_UPSTREAM);
    expect(others).toEqual([]);
    // 900 measured, 50 beyond their hold, 50 at the bound: 1,000 neurons.
    expect(line).toMatchObject({ count: 1000n * NEURON, basis: "estimated" });
    expect(knownUsd(line === undefined ? [] : [line])).toBe("0.011");
  });

  it("does not count a call that died where Workers AI does not run", () => {
    expect(linesOf("ai", FIGURES, "embedded", NOTHING_UPSTREAM)).toMatchObject([
      { count: 950n * NEURON, basis: "counted" },
    ]);
  });

  it("says null of a server whose prices are not known, and 0 of none of its calls", () => {
    const engines = new Map([["openai", engine(5n, { requests: 3 })]]);
    const lines = linesOf("ai", { ...FIGURES, engines }, "openai", NOTHING_UPSTREAM);
    expect(lines).toMatchObject([
      { resource: "ai_neurons", count: 0n },
      { resource: "ai_other_servers", count: null, basis: "unknown" },
    ]);
    expect(knownUsd(lines)).toBe("0");
    expect(unknownOf(lines)).toEqual(["ai_other_servers"]);
  });

  it("takes Cloudflare's own count before ours", () => {
    const upstream = {
      microNeurons: 2000n * NEURON,
      resources: new Map([["vectorize_queried" as const, 3_000_000n]]),
    };
    expect(linesOf("ai", FIGURES, "workers-ai", upstream)).toMatchObject([
      { count: 2000n * NEURON, basis: "upstream" },
    ]);
    const vectorize = linesOf("vectorize", FIGURES, "workers-ai", upstream);
    expect(knownUsd(vectorize)).toBe("0.03");
    expect(basisOf(vectorize.slice(0, 1))).toBe("upstream");
    // Of two bases it is the less sure one.
    expect(basisOf(vectorize)).toBe("estimated");
  });

  it("is null and unknown where nobody counted, and never 0", () => {
    const d1 = linesOf("d1", FIGURES, "workers-ai", NOTHING_UPSTREAM);
    expect(unknownOf(d1)).toEqual(["d1_rows_read"]);
    const reads = d1.filter(({ resource }) => resource === "d1_rows_read");
    expect(knownUsd(reads)).toBeNull();
    expect(basisOf(reads)).toBe("unknown");
  });

  it("has the transformations of pictures, and the steps of runs and batches", () => {
    const work = {
      transformations: 3n,
      batches: 2n,
      batch_steps: 10n,
      pipelines: 1n,
      pipeline_slices: 3n,
      pipeline_steps: 500n,
      vectorize_dimensions: 200_000_000n,
    };
    const figures = { ...FIGURES, platform: { ...FIGURES.platform, work } };
    const lines = (service: Service) => linesOf(service, figures, "workers-ai", NOTHING_UPSTREAM);
    expect(lines("images")).toMatchObject([{ count: 3n, basis: "counted" }]);
    expect(knownUsd(lines("images"))).toBe("0.0015");
    expect(lines("workflows")).toMatchObject([
      { resource: "workflow_requests", count: 5n },
      { resource: "workflow_steps", count: 520n },
      { resource: "workflow_storage", count: null },
    ]);
    expect(unknownOf(lines("vectorize"))).toEqual(["vectorize_queried"]);
    expect(knownUsd(lines("vectorize"))).toBe("0.1");
  });
});

describe("the cost of documents", () => {
  const WORK = {
    documents: 100n,
    pipeline_documents: 900n,
    document_calls: 5000n,
    document_micro_neurons: 9_007_199_254_740_993n,
    pipelines: 1n,
    pipeline_slices: 18n,
    pipeline_steps: 8000n,
    batches: 7n,
    batch_steps: 70n,
    transformations: 5n,
  };
  const { documents, services } = documentCosts(WORK);
  const lines = (service: Service) =>
    services.find((one) => one.service === service)?.lines ?? expect.fail(service);

  it("is the journal's charge of their calls, to the micro-neuron", () => {
    expect(documents).toBe(1000);
    expect(lines("ai")).toMatchObject([{ count: 9_007_199_254_740_993n, basis: "counted" }]);
    expect(knownUsd(lines("ai"))).toBe("99079.191802150923");
  });

  it("has what they used of each service, and nothing of other work", () => {
    expect(lines("workflows")).toMatchObject([{ count: 18n }, { count: 8036n }, { count: null }]);
    expect(lines("images")).toMatchObject([{ count: 0n }]);
    expect(lines("workers")).toMatchObject([{ count: 5000n }, { basis: "estimated" }]);
    // Two files each, one for each step, and the run's own.
    expect(lines("r2")[0]).toMatchObject({ resource: "r2_writes", count: 2000n + 8001n });
    expect(services.map(({ service }) => service)).toEqual(SERVICES);
  });

  it("is 0 of no documents", () => {
    expect(documentCosts({}).documents).toBe(0);
    expect(knownUsd(documentCosts({}).services.flatMap((one) => one.lines))).toBe("0");
  });
});
