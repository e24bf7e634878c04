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

/** The rows of the newest call. */
const newest = async (): Promise<readonly Record<string, unknown>[]> =>
  (await tenant.call("GET", `${PATH}?limit=1`)).body.data;

async function ended(path: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    // oxlint-disable-next-line no-await-in-loop -- until it is so
    if ((await tenant.call("GET", path)).body.finished_at !== null) return;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await scheduler.wait(25);
  }
  throw new Error("it did not end");
}

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

  it("names the session, the document, the run and the step of its call", async () => {
    const session = (await tenant.call("POST", "/v1/sessions", { model: LLAMA })).body.id;
    const message = { messages: [{ role: "user", content: "Which book is about whales?" }] };
    await tenant.call("POST", `/v1/sessions/${session}/messages`, message);
    const nothing = { session_id: null, document_id: null, run_id: null, step: null };
    expect(await newest()).toMatchObject([{ ...nothing, session_id: session }]);

    const content = "The bridge was repaired. Tom calls the bank.";
    const stored = { type: "other", content, tasks: ["summary"] };
    const document_id = (await tenant.call("POST", "/v1/documents", stored)).body.id;
    expect(await newest()).toMatchObject([{ ...nothing, document_id }]);
    await tenant.call("POST", `/v1/documents/${document_id}/embed`);
    expect(await newest()).toMatchObject([
      { ...nothing, operation: "POST /v1/documents/{id}/embed", document_id },
    ]);

    const steps = ["moderate", "summarize", "store", "embed"];
    const documents = [{ id: "doc_bridge", type: "other", content }];
    const run = await tenant.call("POST", "/v1/pipelines/runs", { documents, steps });
    await ended(`/v1/pipelines/runs/${run.body.id}`);
    const made = (await linesOf()).filter(({ run_id }) => run_id === run.body.id);
    expect(new Set(made.map(({ step }) => step))).toEqual(
      new Set(["moderate", "summarize", "embed"]),
    );
    for (const row of made) {
      expect(row).toMatchObject({ document_id: "doc_bridge", session_id: null });
    }

    const items = [{ text: "Nice to meet you all" }];
    const batch = await tenant.call("POST", "/v1/verdicts/batches", { items });
    await ended(`/v1/verdicts/batches/${batch.body.id}`);
    for (const row of await newest()) {
      expect(row).toMatchObject({ ...nothing, run_id: batch.body.id });
    }
    const [line] = (await tenant.call("GET", "/v1/ledger?limit=1")).body.data;
    expect(line).toMatchObject({ run_id: batch.body.id });
    expect(line).not.toHaveProperty("document_id");
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
