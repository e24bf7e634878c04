import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { admitDearCalls, makeTenant, type TestTenant } from "../client.ts";
import { cleanUp } from "../durable-objects/a-tenant.ts";
import { MAX_TEXT_BYTES } from "../../src/domain/documents/document.ts";
import { MOST_WINDOWS } from "../../src/domain/documents/measure-analysis.ts";
import { askedFor, unique } from "./scripted.ts";

// Texts beyond one window of a model: read in parts, joined, and told of.

const path = "/v1/documents";

let tenant: TestTenant;
beforeEach(async () => {
  await admitDearCalls();
  tenant = await makeTenant("long", {
    plan: "paid",
    daily_neurons: 1_000_000,
    rpm: { text_generation: 5000 },
  });
});
afterEach(cleanUp);

/** Every sentence is another one: the model of the tests quotes the first of each window. */
const sentence = (at: number): string =>
  `Section ${at} of the survey describes the bridge over the river and what its repair will cost.`;

/** A page has about 3,000 characters. */
const pages = (many: number): string => {
  const each = Math.ceil(3000 / (sentence(1000).length + 1));
  return Array.from({ length: many * each }, (_, at) => sentence(at + 1)).join(" ");
};

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into replies freely
const reportOf = (body: any, task: string): any =>
  body.tasks.find((one: { task: string }) => one.task === task);

describe("a text of 200 pages", () => {
  it("is read whole within its hold, and each task says how much it read", async () => {
    const content = pages(200);
    expect(content.length).toBeGreaterThan(590_000);
    const { status, body } = await tenant.onWorkersAi("POST", path, { type: "report", content });
    expect(status).toBe(200);
    expect(reportOf(body, "summary")).toMatchObject({ state: "done", coverage: 1 });
    expect(reportOf(body, "key_points")).toMatchObject({ state: "done", coverage: 1 });
    expect(reportOf(body, "entities").coverage).toBe(1);
    expect(reportOf(body, "action_items").coverage).toBe(1);
    // The category shows at the beginning, and the sentiment is a sample.
    expect(reportOf(body, "category")).toMatchObject({ state: "partial", failure: null });
    expect(reportOf(body, "category").coverage).toBeLessThan(0.05);
    expect(reportOf(body, "sentiment").calls).toBe(12);
    expect(reportOf(body, "sentiment").coverage).toBeLessThan(0.05);
    // Points come from many parts of the text, and each is shown in it.
    const points = body.results.key_points;
    expect(points.length).toBeGreaterThanOrEqual(3);
    for (const { quote } of points) expect(content.slice(quote.start, quote.end)).toBe(quote.text);
    expect(
      Math.max(...points.map((point: { quote: { start: number } }) => point.quote.start)),
    ).toBeGreaterThan(50_000);
    const [line] = (await tenant.call("GET", "/v1/ledger")).body.data;
    expect(line.overrun_micro_neurons).toBe(0);
    expect(line.micro_neurons).toBeLessThan(line.held_micro_neurons);
    expect(body.micro_neurons).toBe(line.micro_neurons);
  });

  it("is read in windows that the model was measured for, and all of it", async () => {
    const mark = unique();
    const content = `${mark} ${pages(200)} ${mark}`;
    await tenant.onWorkersAi("POST", path, { type: "report", content, tasks: ["summary"] });
    const asked = await askedFor("Section");
    const windows = asked.map(({ inputs }) => JSON.stringify(inputs)).slice(-21);
    expect(windows.length).toBeLessThanOrEqual(MOST_WINDOWS);
    for (const window of windows) expect(window.length).toBeLessThan(36_000);
    // The notes of the parts are short.
    const ends = windows.filter((window) => window.length > 5000 && window.includes(mark));
    expect(ends).toHaveLength(2);
  });
});

describe("a text with more windows than are read", () => {
  it("is read in part, spread over it, and says so", async () => {
    const content = pages(300).slice(0, MAX_TEXT_BYTES);
    const { body } = await tenant.onWorkersAi("POST", path, {
      type: "report",
      content,
      tasks: ["key_points", "entities"],
    });
    const { coverage, state, calls } = reportOf(body, "entities");
    expect([state, calls]).toEqual(["partial", MOST_WINDOWS]);
    expect(coverage).toBeGreaterThan(0.7);
    expect(coverage).toBeLessThan(0.95);
  });
});

/** Of its three windows the second one tells the model how to behave. */
const behaving = (behaviour: string): string =>
  `${pages(12)}\n\n[[fake:${behaviour}|${unique()}]]\n\n${pages(18)}`;

describe("windows that fail", () => {
  it("leave what the others found", async () => {
    const { body } = await tenant.onWorkersAi("POST", path, {
      type: "report",
      content: behaving("doc_entities=5007;doc_summary=prose"),
      tasks: ["summary", "entities"],
    });
    for (const [task, failure] of [
      ["summary", "malformed_answer"],
      ["entities", "engine_refused"],
    ] as const) {
      const report = reportOf(body, task);
      expect(report).toMatchObject({ state: "partial", failure });
      expect(report.coverage).toBeGreaterThan(0.5);
      expect(report.coverage).toBeLessThan(0.75);
    }
    expect(body.results.summary).toContain("Section");
  });
});
