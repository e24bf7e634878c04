import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { heldItem } from "../../src/domain/ledger/ledger.ts";
import { recordInferences } from "../../src/edge/bindings.ts";
import { makeTenant, type Reply, type TestTenant, WORKERS_AI, ask } from "../client.ts";
import { stageOf } from "../domain/ledger/ledger-fixtures.ts";
import { scripted, unique } from "./scripted.ts";
import { openStream, readStream } from "./streams.ts";

// The points that are written of inferences, by a data set that remembers them.

interface Point {
  readonly indexes: readonly string[];
  readonly blobs: readonly string[];
  readonly doubles: readonly number[];
}

let points: Point[] = [];
let tenant: TestTenant;

afterEach(() => {
  vi.restoreAllMocks();
});

beforeEach(async () => {
  points = [];
  tenant = await makeTenant(`points-${unique()}`);
});

const recording: AnalyticsEngineDataset = {
  writeDataPoint: (point) => void points.push(point as Point),
};

const send = (
  path: string,
  body: unknown,
  bound: object = { INFERENCES: recording },
): Promise<Reply> => ask("POST", path, { key: tenant.key, body, env: { ...WORKERS_AI, ...bound } });

const columns = () =>
  points
    .map(({ blobs: [, model, task, stage, outcome, engine, basis] }) =>
      [stage, outcome, engine, basis, task, model].join(" "),
    )
    .toSorted();

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";

describe("a point of an inference", () => {
  it("is written for each stage of a verdict, and adds up to what it cost", async () => {
    const { text } = scripted("ok");
    const { status, body } = await send("/v1/verdicts", { text, user_id: "u_marked_user" });
    expect(status).toBe(200);
    expect(columns()).toEqual([
      `judge answered workers-ai measured text_generation ${LLAMA}`,
      "sentiment answered workers-ai estimated text_classification @cf/huggingface/distilbert-sst-2-int8",
    ]);
    const costs = points.map(({ doubles }) => doubles[3] ?? 0);
    expect(costs.reduce((sum, cost) => sum + cost, 0)).toBe(body.micro_neurons);
    const stages: { name: string; latency_ms: number }[] = body.stages;
    for (const { indexes, blobs, doubles } of points) {
      expect(doubles[0]).toBe(stages.find(({ name }) => name === blobs[3])?.latency_ms);
      expect(indexes).toEqual([tenant.id]);
      expect(blobs[0]).toBe(tenant.id);
      expect(doubles[1]).toBeGreaterThan(0);
    }
    const written = JSON.stringify(points);
    for (const secret of [text, "u_marked_user", tenant.key]) expect(written).not.toContain(secret);
  });

  it("tells how a stage failed", async () => {
    await send("/v1/verdicts", { text: scripted("judge=drop&sentiment=5007").text });
    await send("/v1/verdicts", { text: scripted("judge=drop").text });
    expect(columns()).toContain(`judge failed workers-ai held text_generation ${LLAMA}`);
    points = [];
    // A server's own error costs nothing.
    await send("/v1/verdicts", { text: scripted("judge=500").text });
    expect(columns()).toContain(`judge failed workers-ai measured text_generation ${LLAMA}`);
    points = [];
    await send("/v1/verdicts", { text: scripted("5007").text });
    expect(columns()).toContain(`judge not_run unknown measured text_generation ${LLAMA}`);
  });

  it("is written of a chat, and of a streamed one when that has ended", async () => {
    const messages = [{ role: "user", content: scripted("text=Hello&usage=12/5").text }];
    let now = Date.now();
    vi.spyOn(Date, "now").mockImplementation(() => (now += 1));
    const expected = [`generate answered workers-ai measured text_generation ${LLAMA}`];
    await send("/v1/chat/completions", { model: LLAMA, messages });
    expect(columns()).toEqual(expected);
    expect(points[0]?.doubles[0]).toBeGreaterThan(0);
    points = [];
    const other = { ...WORKERS_AI, INFERENCES: recording };
    const open = await openStream(tenant.key, { model: LLAMA, messages }, { env: other });
    expect(points).toEqual([]);
    expect((await readStream(open)).done).toBe(true);
    expect(columns()).toEqual(expected);
    expect(points[0]?.doubles[0]).toBeGreaterThan(0);
    expect(points[0]?.doubles.slice(1, 3)).toEqual([12, 5]);
  });

  it("is never more than an invocation may write", () => {
    const record = recordInferences({ ...env, INFERENCES: recording }, tenant.id);
    const items = Array.from({ length: 200 }, () => heldItem(stageOf(100)));
    record(items);
    record(items);
    record(items);
    expect(points).toHaveLength(250);
  });

  it("fails no call when it cannot be written, or nobody wants it", async () => {
    const broken = {
      writeDataPoint: () => {
        throw new Error("over the limit");
      },
    };
    const { text } = scripted("ok");
    expect((await send("/v1/verdicts", { text }, { INFERENCES: broken })).status).toBe(200);
    expect((await send("/v1/verdicts", { text }, { INFERENCES: undefined })).status).toBe(200);
    expect(points).toEqual([]);
  });
});
