import { describe, expect, it } from "vitest";
import {
  basisOf,
  costDay,
  type DayFigures,
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
  platform: { calls: 1000, refused: 0, cached: 1, pictures: 0, reportRows: 10 },
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
    expect(basisOf(vectorize)).toBe("upstream");
    expect(unknownOf(vectorize)).toEqual(["vectorize_stored"]);
  });

  it("is null and unknown where nobody counted, and never 0", () => {
    const images = linesOf("images", FIGURES, "workers-ai", NOTHING_UPSTREAM);
    expect(knownUsd(images)).toBeNull();
    expect(basisOf(images)).toBe("unknown");
  });
});
