import { describe, expect, it } from "vitest";
import book from "../../../src/domain/catalogue/cloudflare-prices-2026-11.json";
import {
  MEASURED,
  PLATFORM_PRICE_BOOK,
  platformLines,
  platformUsd,
} from "../../../src/domain/catalogue/platform-prices.ts";
import { parseUsdRate } from "../../../src/domain/ledger/money.ts";

const COUNTS = {
  calls: 1_000_000,
  refused: 500_000,
  cached: 100,
  pictures: 40,
  reportRows: 1000,
  work: {},
};
const lines = platformLines(COUNTS, "paid");
const line = (name: string) =>
  lines.find(({ resource }) => resource === name) ?? expect.fail(`there is no ${name}`);

describe("the price book of the platform", () => {
  it("names its version, and has a price that can be read for each resource", () => {
    expect(PLATFORM_PRICE_BOOK).toBe("cloudflare-2026-11");
    for (const [name, { usd, per }] of Object.entries(book.resources)) {
      expect(parseUsdRate(usd), name).not.toBeNull();
      expect([1e3, 1e5, 1e6, 1e8, 1e9], name).toContain(per);
    }
    expect(lines.map(({ resource }) => resource)).toEqual(Object.keys(book.resources));
  });
});

describe("the lines of the platform", () => {
  it("are counts times prices", () => {
    expect(line("workers_requests")).toMatchObject({ count: 1_500_000, costUsd: "0.45" });
    // 1.5 million x 0.96 ms at 0.02 a million.
    expect(line("workers_cpu")).toMatchObject({ count: 1_440_000_000, costUsd: "0.0288" });
    expect(line("object_requests")).toMatchObject({ count: 2_500_000, costUsd: "0.375" });
    // 1.5 million x 0.064 GB-s at 12.50 a million.
    expect(line("object_duration")).toMatchObject({ count: 96_000_000, costUsd: "1.2" });
    // Five a call; 1000 rows of the reports can change 720 times each.
    expect(line("object_rows_written")).toMatchObject({ count: 7_160_000, costUsd: "7.16" });
    expect(line("d1_rows_written")).toMatchObject({ count: 1_440_000, costUsd: "1.44" });
    expect(line("object_storage")).toMatchObject({ count: 1_500_000_000, costUsd: "0.3" });
    expect(line("r2_writes")).toMatchObject({ count: 80, costUsd: "0.00036" });
    expect(line("kv_reads")).toMatchObject({ count: 100, costUsd: "0.00005" });
    expect(line("queue_operations")).toMatchObject({ count: 3 * 720_000, costUsd: "0.864" });
  });

  it("of few calls are what each changes by itself", () => {
    const few = platformLines({ ...COUNTS, calls: 10, reportRows: 30 }, "paid");
    const count = (name: string) => few.find(({ resource }) => resource === name)?.count;
    expect(count("object_rows_written")).toBe(10 * 5 + 40 * 3);
    expect(count("d1_rows_written")).toBe(80);
    expect(count("queue_operations")).toBe(30);
    expect(count("d1_storage")).toBe(30 * MEASURED.bytesPerReportRow);
  });

  it("say how each was counted, and pretend nothing of what is not", () => {
    for (const { resource, basis, how, count, costUsd } of lines) {
      expect(how, resource).toMatch(/^\S.+\.$/);
      expect(count === null, resource).toBe(basis === "unknown");
      expect(costUsd === null, resource).toBe(basis === "unknown");
    }
    expect(line("workers_requests").basis).toBe("counted");
    expect(line("workers_cpu").basis).toBe("estimated");
    expect(line("workflow_storage").basis).toBe("unknown");
    expect(line("image_transformations").basis).toBe("counted");
  });

  it("show what the plan includes, and cost nothing on the free one", () => {
    expect(line("object_rows_written").included).toEqual({ amount: 50_000_000, every: "month" });
    const free = platformLines(COUNTS, "free");
    const rows = free.find(({ resource }) => resource === "object_rows_written");
    expect(rows).toMatchObject({ usd: null, included: { amount: 100_000, every: "day" } });
    expect(new Set(free.map(({ costUsd }) => costUsd))).toEqual(new Set(["0", null]));
    expect(platformUsd(free)).toBe("0");
  });

  it("add up exactly", () => {
    const known = lines.flatMap(({ costUsd }) => (costUsd === null ? [] : [Number(costUsd)]));
    const sum = known.reduce((total, cost) => total + cost, 0);
    expect(Number(platformUsd(lines))).toBeCloseTo(sum, 12);
    const nothing = { calls: 0, refused: 0, cached: 0, pictures: 0, reportRows: 0, work: {} };
    expect(platformUsd(platformLines(nothing, "paid"))).toBe("0");
  });
});
