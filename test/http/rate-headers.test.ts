import { describe, expect, it } from "vitest";
import { microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import {
  callHeaders,
  goDuration,
  openAiRateHeaders,
  rateLimitHeaders,
} from "../../src/http/rate-headers.ts";
import { NEURONS, RATE_NOW_MS, ROOM } from "./failures.ts";

const nowMs = RATE_NOW_MS;
const freesAtMs = nowMs + 40_588;
const rate = (name: string, limit: number, remaining: number) => ({
  name,
  limit,
  remaining,
  freesAtMs,
});

describe("RateLimit", () => {
  it("1: the contract's headers of a verdict", () => {
    const rates = [
      rate("requests", 300, 292),
      rate("text_generation", 300, 286),
      rate("text_classification", 2000, 1992),
      rate("image_classification", 3000, 2993),
    ];
    expect(rateLimitHeaders({ rates, neurons: ROOM, nowMs })).toEqual({
      "RateLimit-Policy":
        '"requests";q=300;w=60, "text_generation";q=300;w=60, "text_classification";q=2000;w=60, "image_classification";q=3000;w=60, "daily";q=10000;qu="neurons";w=86400',
      RateLimit:
        '"requests";r=292;t=41, "text_generation";r=286;t=41, "text_classification";r=1992;t=41, "image_classification";r=2993;t=41, "daily";r=8105;t=35793',
    });
  });

  it("has no t where nothing is counted, and escapes names", () => {
    const rates = [{ name: 'a"b\\cé', limit: 5, remaining: 5, freesAtMs: null }];
    const headers = rateLimitHeaders({ rates, neurons: ROOM, nowMs });
    expect(headers["RateLimit"]).toBe('"a\\"b\\\\c?";r=5, "daily";r=8105;t=35793');
  });

  it("shows what is left of the included quota where nothing limits the day", () => {
    const neurons = { ...NEURONS, limit: null, available: null };
    expect(rateLimitHeaders({ rates: [], neurons, nowMs })["RateLimit"]).toBe(
      '"daily";r=4;t=35793',
    );
    const beyond = { ...neurons, posted: microNeurons(12_000_000_000) };
    expect(rateLimitHeaders({ rates: [], neurons: beyond, nowMs })["RateLimit"]).toMatch(/r=0;/);
  });
});

describe("OpenAI's headers", () => {
  it("show the class with the least left", () => {
    const rates = [rate("requests", 300, 150), rate("text_generation", 200, 20)];
    expect(openAiRateHeaders(rates, nowMs)).toEqual({
      "x-ratelimit-limit-requests": "200",
      "x-ratelimit-remaining-requests": "20",
      "x-ratelimit-reset-requests": "40.588s",
    });
    expect(openAiRateHeaders([], nowMs)).toEqual({});
  });

  it.each([
    [0, "0s"],
    [12, "12ms"],
    [1000, "1s"],
    [12_410, "12.41s"],
    [60_000, "1m0s"],
    [360_000, "6m0s"],
    [3_661_500, "1h1m1.5s"],
  ])("%d ms is %s", (ms, text) => {
    expect(goDuration(ms)).toBe(text);
  });
});

describe("callHeaders", () => {
  it("sends what there is", () => {
    expect(
      callHeaders({
        microNeurons: microNeurons(17_193_410),
        available: microNeurons(8_105_320_144),
        engine: "workers-ai",
        cache: "miss",
        clampedMaxTokens: 512,
        replayed: true,
      }),
    ).toEqual({
      "x-neurogate-engine": "workers-ai",
      "x-neurogate-micro-neurons": "17193410",
      "x-neurogate-available-micro-neurons": "8105320144",
      "x-neurogate-cache": "miss",
      "x-neurogate-clamped-max-tokens": "512",
      "idempotency-replayed": "true",
    });
    expect(
      callHeaders({ microNeurons: microNeurons(0), available: null, replayed: false }),
    ).toEqual({ "x-neurogate-micro-neurons": "0" });
  });
});
