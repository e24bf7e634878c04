import { array, assert, constantFrom, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addLatency,
  latencyBucket,
  latencyCount,
  type LatencyHistogram,
  latencyQuantile,
  mergeLatencies,
  NO_LATENCIES,
} from "../../../src/domain/usage/latency-histogram.ts";

const of = (latencies: readonly number[]): LatencyHistogram =>
  latencies.reduce(addLatency, NO_LATENCIES);

describe("a latency histogram", () => {
  it("keeps short latencies apart, and longer ones a fifth from each other", () => {
    expect([0, 1, 2, 9, 10].map(latencyBucket)).toEqual([0, 1, 2, 9, 10]);
    expect([11, 12, 13, 14, 15, 16, 17, 19, 20].map(latencyBucket)).toEqual([
      11, 11, 12, 12, 13, 13, 14, 14, 15,
    ]);
  });

  it("has no more buckets than fit into a row, whatever it is told", () => {
    expect(latencyBucket(3_600_000)).toBe(latencyBucket(Number.MAX_SAFE_INTEGER));
    expect(latencyBucket(Number.MAX_SAFE_INTEGER)).toBeLessThan(90);
    expect(latencyBucket(-5)).toBe(0);
  });

  it("is counts by bucket, empty ones left out", () => {
    expect(of([0, 12, 11, 500])).toEqual({ 0: 1, 11: 2, 33: 1 });
    expect(latencyCount(of([0, 12, 11, 500]))).toBe(4);
  });

  it("adds up", () => {
    expect(mergeLatencies([of([1, 500]), of([500]), NO_LATENCIES])).toEqual(of([1, 500, 500]));
  });

  it("knows no quantile of nothing", () => {
    expect(latencyQuantile(NO_LATENCIES, 0.5)).toBeNull();
    expect(latencyQuantile({ 4: 0 }, 0.5)).toBeNull();
  });

  it("gives quantiles by nearest rank", () => {
    const hundred = of(Array.from({ length: 100 }, (_, at) => (at < 95 ? 3 : at < 99 ? 7 : 9)));
    expect(latencyQuantile(hundred, 0.5)).toBe(3);
    expect(latencyQuantile(hundred, 0.95)).toBe(3);
    expect(latencyQuantile(hundred, 0.951)).toBe(7);
    expect(latencyQuantile(hundred, 0.99)).toBe(7);
    expect(latencyQuantile(hundred, 1)).toBe(9);
  });

  it("is at most a tenth off, whole milliseconds included", () => {
    for (let ms = 1; ms <= 3_600_000; ms += ms < 20_000 ? 1 : 997) {
      const read = latencyQuantile(of([ms]), 0.5) ?? 0;
      if (Math.abs(read - ms) > ms / 10) expect.fail(`${ms} ms are read as ${read}`);
    }
  });

  it("is within a tenth of the exact quantile, of any latencies merged from any parts", () => {
    const latencies = array(integer({ min: 0, max: 700_000 }), { minLength: 1 });
    assert(
      property(latencies, latencies, constantFrom(0.5, 0.95, 0.99), (some, more, share) => {
        const all = [...some, ...more].toSorted((a, b) => a - b);
        const exact = all[Math.ceil(share * all.length) - 1] ?? 0;
        const read = latencyQuantile(mergeLatencies([of(some), of(more)]), share) ?? Number.NaN;
        expect(Math.abs(read - exact)).toBeLessThanOrEqual(exact / 10);
      }),
    );
  });
});
