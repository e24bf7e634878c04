import { describe, expect, it } from "vitest";
import type { UsageRow } from "../../console/src/api/shapes.ts";
import {
  bytes,
  counted,
  duration,
  neurons,
  percent,
  relative,
  usd,
} from "../../console/src/format.ts";
import { byDay, daysOf, sumByModel } from "../../console/src/tenant/by-day.ts";
import { readChunk } from "../../console/src/try-it/chat-stream.ts";
import { curl, elided, openAiChat } from "../../console/src/try-it/code-samples.ts";
import { largest, stacked } from "../../console/src/ui/stacked.ts";

describe("amounts", () => {
  it.each([
    [0, "0"],
    [1, "0.000001"],
    [228_055, "0.228055"],
    [17_193_410, "17.193"],
    [12_498_802_900, "12,499"],
  ])("%i µN are %s", (amount, shown) => expect(neurons(amount)).toBe(shown));

  it.each([
    ["0", "$0.00"],
    ["0.0274868319", "$0.0275"],
    ["0.00626", "$0.00626"],
    ["1.005", "$1.00"],
    ["12.3", "$12.30"],
    ["0.5", "$0.50"],
    ["0.0000001", "$0.0000001"],
  ])("USD %s is %s", (amount, shown) => expect(usd(amount)).toBe(shown));

  it("has words for shares, times and sizes", () => {
    expect(percent(1, 3)).toBe("33.3 %");
    expect(percent(1, 0)).toBe("0 %");
    expect(duration(59_999)).toBe("59 s");
    expect(duration(71_820_000)).toBe("19 h 57 min");
    expect(duration(180_000_000)).toBe("2 d 2 h");
    expect(relative("2026-11-20T00:02:00.000Z", Date.parse("2026-11-20T00:00:00Z"))).toBe(
      "in 2 min",
    );
    expect(relative("2026-11-20T00:00:00.000Z", Date.parse("2026-11-20T00:00:05Z"))).toBe(
      "5 s ago",
    );
    expect(bytes(4_194_304)).toBe("4 MB");
    expect([0, 1, 2000].map((n) => counted(n, "tenant"))).toEqual([
      "0 tenants",
      "1 tenant",
      "2,000 tenants",
    ]);
  });
});

const row = (day: string, model: string, amount: number): UsageRow => ({
  day,
  hour: null,
  tenant: null,
  calls: null,
  success_rate: null,
  charge_usd: null,
  latency: null,
  refused: null,
  verdicts: null,
  user_id: null,
  key_id: null,
  model,
  task: "text_generation",
  engine: "workers-ai",
  priced_as: model,
  engine_requests: 2,
  failed: 1,
  units: { input_token: 10 },
  input_tokens: 10,
  output_tokens: 0,
  micro_neurons: amount,
  neurons: amount / 1_000_000,
  estimated_micro_neurons: 1,
  held_micro_neurons: 0,
  cost_usd: "0",
});

describe("usage", () => {
  const rows = [row("2026-11-01", "@cf/a/b", 2_000_000), row("2026-11-03", "@cf/a/b", 500_000)];

  it("has a place for every day, also the empty ones", () => {
    const days = daysOf("2026-11-01", "2026-11-03");
    expect(days).toHaveLength(3);
    expect(byDay(rows, days)).toEqual([{ key: "@cf/a/b", label: "b", values: [2, 0, 0.5] }]);
    expect(daysOf("2026-01-01", "2030-01-01")).toHaveLength(400);
  });

  it("is summed by model", () => {
    expect(sumByModel(rows)).toEqual([
      {
        model: "@cf/a/b",
        task: "text_generation",
        requests: 4,
        failed: 2,
        microNeurons: 2_500_000,
        estimated: 2,
        held: 0,
        units: { input_token: 20 },
      },
    ]);
  });
});

describe("a stacked chart", () => {
  const series = [1, 5, 3].map((n) => ({ key: `k${n}`, label: `k${n}`, values: [n, 0] }));

  it("draws the whole first, then what stands before each", () => {
    expect(stacked(series)).toEqual([
      [9, 0],
      [6, 0],
      [1, 0],
    ]);
  });

  it("shows the largest and takes the rest together", () => {
    const two = largest(series, 2);
    expect(two.map(({ key }) => key)).toEqual(["k5", "other"]);
    expect(two[1]).toEqual({ key: "other", label: "2 others", values: [4, 0] });
    expect(largest(series, 3)).toHaveLength(3);
  });
});

describe("code samples", () => {
  it("quote for a shell, and hold neither a key nor a picture", () => {
    const body = { text: "it's $HOME", images: [{ base64: "A".repeat(5000) }] };
    const { code } = curl("https://gate.example", "/v1/verdicts", body);
    expect(code).toContain(`it'\\''s $HOME`);
    expect(code).toContain("Bearer $NEUROGATE_KEY");
    expect(code.length).toBeLessThan(400);
  });

  it("leave texts whole", () => {
    const text = "a b ".repeat(300);
    expect(elided({ text })).toEqual({ text });
    expect(openAiChat("https://gate.example", { model: "auto" }).code).toContain('"model": "auto"');
  });
});

describe("a chunk of a chat", () => {
  it("gives its text, its cost and its end", () => {
    const text = readChunk('{"choices":[{"delta":{"content":"Hi"},"finish_reason":null}]}');
    expect(text).toMatchObject({ text: "Hi", finish: null, microNeurons: null });
    const last = readChunk(
      '{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4},"neurogate":{"micro_neurons":7}}',
    );
    expect(last).toMatchObject({ tokens: { input: 3, output: 4 }, microNeurons: 7 });
    expect(readChunk("[DONE]").text).toBe("");
    expect(readChunk('{"error":{"message":"Cut."}}').error).toBe("Cut.");
  });
});
