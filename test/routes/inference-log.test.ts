import { beforeAll, describe, expect, it } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";

// The log of inferences: what each stage of a call asked of an engine, and nothing of the content.

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const PATH = "/v1/inferences";
const SECRET = "The heron waits by the weir";

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant(`log-${unique()}`, { daily_neurons: 9000 });
});

const chat = (headers: Readonly<Record<string, string>> = {}) =>
  tenant.call(
    "POST",
    "/v1/chat/completions",
    { model: LLAMA, messages: [{ role: "user", content: SECRET }], user: "u_1" },
    headers,
  );

const linesOf = async (): Promise<readonly Record<string, unknown>[]> => {
  const accept = { Accept: "application/x-ndjson" };
  const { body } = await tenant.call("GET", PATH, undefined, accept);
  return String(body)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
};

describe("an inference", () => {
  it("has model, tokens, cost, latency and the caller's label, and no content", async () => {
    const made = await chat({ "x-neurogate-context": "mail/summary" });
    expect(made.status).toBe(200);
    const { body } = await tenant.call("GET", `${PATH}?limit=1`);
    const [row] = body.data;
    const [line] = (await tenant.call("GET", "/v1/ledger?limit=1")).body.data;
    expect(body.data).toHaveLength(1);
    expect(row).toMatchObject({
      id: `${line.id}.0`,
      call_id: line.id,
      request_id: made.headers.get("x-request-id"),
      operation: "POST /v1/chat/completions",
      stage: "generate",
      task: "text_generation",
      model: made.body.neurogate.model,
      priced_as: LLAMA,
      input_tokens: made.body.usage.prompt_tokens,
      output_tokens: made.body.usage.completion_tokens,
      micro_neurons: made.body.neurogate.micro_neurons,
      success: true,
      outcome: "posted",
      context: "mail/summary",
      user_id: "u_1",
    });
    expect(Number(row.cost_usd)).toBeCloseTo((row.micro_neurons / 1e9) * 0.011, 12);
    expect(row.latency_ms).toBeGreaterThanOrEqual(0);
    expect(row.call_ms).toBeGreaterThanOrEqual(row.latency_ms);
    expect(line).toMatchObject({ context: "mail/summary" });
    expect(line.items[0].latency_ms).toBe(row.latency_ms);
    expect(JSON.stringify(body)).not.toContain("heron");
  });

  it("is one of each task of a document, with its label", async () => {
    const headers = { "x-neurogate-context": "mail" };
    const body = { type: "report", content: "The bridge was repaired. Tom calls the bank." };
    const made = await tenant.call("POST", "/v1/documents", body, headers);
    expect(made.status).toBe(200);
    const { data } = (await tenant.call("GET", `${PATH}?limit=1`)).body;
    expect(data.length).toBeGreaterThan(1);
    for (const row of data) expect(row).toMatchObject({ context: "mail" });
  });

  it("is one of each stage of a moderation, with its label", async () => {
    const headers = { "x-neurogate-context": "forum" };
    const body = { text: "Nice to meet you all" };
    const made = await tenant.call("POST", "/v1/verdicts", body, headers);
    const { data } = (await tenant.call("GET", `${PATH}?limit=1`)).body;
    expect(data.length).toBeGreaterThan(1);
    for (const row of data) {
      expect(row).toMatchObject({ verdict_id: made.body.id, context: "forum" });
    }
    const ids = data.map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const sum = data.reduce(
      (total: number, row: { micro_neurons: number }) => total + row.micro_neurons,
      0,
    );
    expect(String(sum)).toBe(made.headers.get("x-neurogate-micro-neurons"));
  });

  it("comes in pages by call, and all as lines", async () => {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (let made = 0; made < 4; made += 1) await chat();
    const pages = [];
    let cursor = "";
    do {
      const query: string = `limit=1&cursor=${cursor}`;
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      const { body } = await tenant.call("GET", `${PATH}?${query}`);
      pages.push(...body.data);
      cursor = body.next_cursor ?? "";
    } while (cursor !== "");
    const lines = await linesOf();
    expect(lines).toEqual(pages);
    expect(lines[0]).toMatchObject({ context: null });
    expect(lines.length).toBeGreaterThan(3);
  });

  it("is not made by a call whose label is no label: it is refused first", async () => {
    const before = (await linesOf()).length;
    const refused = await chat({ "x-neurogate-context": "two words" });
    expect([refused.status, refused.body.error.param]).toEqual([400, "x-neurogate-context"]);
    const verdict = await tenant.call(
      "POST",
      "/v1/verdicts",
      { text: "Nice to meet you" },
      { "x-neurogate-context": "two words" },
    );
    expect(verdict.status).toBe(400);
    expect((await linesOf()).length).toBe(before);
  });
});
