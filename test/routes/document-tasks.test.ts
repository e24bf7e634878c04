import { createExecutionContext, env } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRouter } from "../../src/http/router.ts";
import { BODY_LIMITS, BodyBudget } from "../../src/io/body-budget.ts";
import { embedDocument } from "../../src/routes/document-embedding.ts";
import { createDocument } from "../../src/routes/documents.ts";
import { ask, makeTenant, type Reply, type TestTenant, WORKERS_AI } from "../client.ts";
import { cleanUp } from "../durable-objects/a-tenant.ts";
import { askedFor, unique } from "./scripted.ts";

// What is done with a document, by a scripted model. What is stored: documents.test.ts.

const path = "/v1/documents";

const EMAIL = `From: Anna Weber <anna.weber@example.com>
To: Tom Baker

Dear Tom,

the budget meeting of the project is on 2026-12-03. The contract with Blue Harbour Ltd costs 12,500 EUR.
Please send the signed contract to Anna Weber by Friday. You can reach me at +49 30 1234567.

Kind regards, Anna`;

let tenant: TestTenant;
beforeEach(async () => {
  tenant = await makeTenant("readers", { daily_neurons: 100_000, plan: "paid" });
});
afterEach(cleanUp);

/** A document that tells the model how to behave. */
const under = (behaviour: string, text = EMAIL): string =>
  `[[fake:${behaviour}|${unique()}]]\n\n${text}`;

async function work(change: Record<string, unknown>): Promise<Reply> {
  return tenant.onWorkersAi("POST", path, { type: "email", ...change });
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into replies freely
async function done(change: Record<string, unknown>): Promise<any> {
  const { status, body } = await work(change);
  expect([status, body]).toEqual([200, expect.anything()]);
  return body;
}

// oxlint-disable-next-line typescript/no-explicit-any -- as above
const reportOf = (body: any, task: string): any =>
  body.tasks.find((one: { task: string }) => one.task === task);

// oxlint-disable-next-line typescript/no-explicit-any -- as above
const lines = async (): Promise<any[]> => (await tenant.call("GET", "/v1/ledger")).body.data;

async function tasksOf(change: Record<string, unknown>): Promise<string[]> {
  const body = await done({ content: under("ok"), ...change });
  return body.tasks.map(({ task }: { task: string }) => task);
}

describe("all tasks of an email", () => {
  it("are one call: one hold, one line, an item and a cost for each", async () => {
    const body = await done({ content: under("ok") });
    expect(
      body.tasks.map(({ task, state }: { task: string; state: string }) => [task, state]),
    ).toEqual([
      ["summary", "done"],
      ["key_points", "done"],
      ["entities", "done"],
      ["sentiment", "done"],
      ["category", "done"],
      ["action_items", "done"],
    ]);
    for (const report of body.tasks) {
      expect(report).toMatchObject({
        coverage: 1,
        dropped: 0,
        failure: null,
        engine: "workers-ai",
      });
      expect(report.micro_neurons).toBeGreaterThan(0);
    }
    const [line, ...others] = await lines();
    expect(others).toEqual([]);
    expect(line).toMatchObject({ route: "POST /v1/documents", outcome: "posted" });
    expect(line.items.map(({ stage }: { stage: string }) => stage)).toEqual(
      body.tasks.map(({ task }: { task: string }) => task),
    );
    expect(line.items.map((item: { micro_neurons: number }) => item.micro_neurons)).toEqual(
      body.tasks.map((report: { micro_neurons: number }) => report.micro_neurons),
    );
    expect(body.micro_neurons).toBe(line.micro_neurons);
    // Not only what it cost: what it could have cost.
    expect(line.held_micro_neurons).toBeLessThan(60_000_000);
  });

  it("give results that are stored with the document, each shown in the text", async () => {
    const content = under("ok");
    const body = await done({ content });
    const { results } = body;
    expect(results.sentiment.label).toBe("very_positive");
    expect(results.category.label).toBe("business");
    for (const { quote } of [...results.key_points, results.category, ...results.action_items]) {
      expect(content.slice(quote.start, quote.end)).toBe(quote.text);
    }
    expect(results.action_items).toMatchObject([{ what: expect.stringContaining("Please send") }]);
    const values = results.entities.map(
      (one: { kind: string; value: string | null; text: string }) => [
        one.kind,
        one.value ?? one.text,
      ],
    );
    expect(values).toEqual(
      expect.arrayContaining([
        ["email", "anna.weber@example.com"],
        ["date", "2026-12-03"],
        ["money", "12500 EUR"],
        ["phone", "+49301234567"],
        ["person", "Anna Weber"],
      ]),
    );
    for (const { text, spans } of results.entities) {
      for (const { start, end } of spans) expect(content.slice(start, end)).toBe(text);
    }
    const read = await tenant.call("GET", `${path}/${body.id}`);
    expect(read.body).toEqual(body);
  });

  it("are those of its type, and no others", async () => {
    expect(await tasksOf({ type: "article" })).not.toContain("action_items");
    expect(await tasksOf({ type: "other" })).toEqual([
      "summary",
      "key_points",
      "entities",
      "sentiment",
    ]);
    const categories = ["invoice", "reminder"];
    expect(await tasksOf({ type: "other", categories })).toContain("category");
    const refused = await work({ type: "article", content: "A text.", tasks: ["action_items"] });
    expect(refused.body.errors).toMatchObject([{ pointer: "#/tasks/0" }]);
    const without = await work({
      type: "other",
      content: "A text.",
      tasks: ["summary", "category"],
    });
    expect(without.body.errors).toMatchObject([{ pointer: "#/tasks/1" }]);
  });

  it("use the caller's categories and model", async () => {
    const model = "@cf/google/gemma-4-26b-a4b-it";
    const content = under("ok");
    const body = await done({
      content,
      tasks: ["category"],
      categories: ["invoice", "reminder"],
      model,
    });
    expect(body.results).toMatchObject({ category: { label: "reminder" } });
    expect(reportOf(body, "category").model).toBe(model);
    const wrong = await work({ content, tasks: ["summary"], model: "@cf/baai/bge-m3" });
    expect(wrong.body.errors).toMatchObject([{ pointer: "#/model" }]);
  });
});

describe("the sentiment by the word list", () => {
  it.each([
    ["The cat sat. The train leaves at ten.", "neutral", 0.5],
    ["This is a wonderful, lovely day.", "very_positive", expect.any(Number)],
    ["This is a terrible, awful day.", "very_negative", expect.any(Number)],
  ])("of %j is %s", async (content, label, score) => {
    const asked = { type: "other", content, tasks: ["sentiment"], language: "en" };
    const { body } = await tenant.call("POST", "/v1/documents", asked);
    expect(body.results.sentiment).toEqual({ label, score });
  });
});

describe("an answer", () => {
  it("loses what the text does not have, and the reply counts it", async () => {
    const body = await done({ content: under("invented") });
    expect(reportOf(body, "summary")).toMatchObject({ state: "done", dropped: 2 });
    expect(body.results.summary).not.toMatch(/987,654|wrote this down/);
    expect(reportOf(body, "key_points")).toMatchObject({
      state: "failed",
      dropped: 1,
      failure: "not_in_text",
    });
    expect(body.results.key_points).toBeNull();
    expect(reportOf(body, "entities").dropped).toBe(1);
    expect(JSON.stringify(body.results.entities)).not.toContain("Nobody");
    // The item is shown in the text; who is to do it by when is not.
    expect(body.results.action_items).toMatchObject([{ who: null, by_when: null }]);
    expect(reportOf(body, "action_items").dropped).toBe(2);
  });

  it.each(["prose", "extra", "other_nonce", "no_nonce", "truncated", "tool"])(
    "that is no answer is none, and is charged: %s",
    async (behaviour) => {
      const body = await done({ content: under(`doc_category=${behaviour}`) });
      expect(reportOf(body, "category")).toMatchObject({
        state: "failed",
        coverage: 0,
        failure: "malformed_answer",
      });
      expect(reportOf(body, "category").micro_neurons).toBeGreaterThan(0);
      expect(body.results.category).toBeNull();
      expect(reportOf(body, "summary").state).toBe("done");
    },
  );

  it("may be written as code", async () => {
    const body = await done({ content: under("fence"), tasks: ["summary"] });
    expect(reportOf(body, "summary").state).toBe("done");
  });

  it("has a category that was asked for", async () => {
    const body = await done({ content: under("doc_category=other_category"), tasks: ["category"] });
    expect(body.results.category).toBeNull();
    expect(reportOf(body, "category")).toMatchObject({ failure: "not_in_text", dropped: 1 });
  });
});

describe("an engine", () => {
  it("that fails for one task leaves the others", async () => {
    const body = await done({ content: under("doc_key_points=5007") });
    expect(reportOf(body, "key_points")).toMatchObject({
      state: "failed",
      coverage: 0,
      micro_neurons: 0,
    });
    expect(reportOf(body, "key_points").failure).toBe("engine_refused");
    expect(reportOf(body, "summary").state).toBe("done");
  });

  it("that answers nothing fails the call, and nothing is stored", async () => {
    const content = under("3040");
    const reply = await work({ id: "doc_none", content });
    expect([reply.status, reply.body.kind]).toEqual([503, "engine_busy"]);
    expect((await tenant.call("GET", `${path}/doc_none`)).status).toBe(404);
    const [line] = await lines();
    expect(line).toMatchObject({ outcome: "voided", micro_neurons: 0 });
  });

  it("without its account's neurons says so", async () => {
    const reply = await work({ content: under("3036") });
    expect([reply.status, reply.body.kind]).toEqual([429, "account_quota_exceeded"]);
  });

  it("is not asked for the sentiment of a language that its model does not read", async () => {
    const german =
      "Die Brücke wurde im Mai repariert, und alle waren sehr zufrieden damit. ".repeat(3);
    const body = await done({ type: "report", content: german });
    expect(body.language).toBe("de");
    expect(reportOf(body, "sentiment")).toMatchObject({
      state: "skipped",
      failure: "language",
      micro_neurons: 0,
    });
    expect(body.results.sentiment).toBeNull();
  });

  it("gets no tools, a limit of tokens and the document as one string", async () => {
    const mark = unique();
    await done({ content: `${EMAIL} ${mark}`, tasks: ["summary"] });
    const [asked] = await askedFor(mark);
    expect(asked?.inputs).toMatchObject({ max_tokens: 256, temperature: 0 });
    expect(asked?.inputs).not.toHaveProperty("tools");
  });
});

describe("a call", () => {
  it("beyond the day's neurons is refused before anything is stored or asked", async () => {
    const poor = await makeTenant("poor", { daily_neurons: 1 });
    const mark = unique();
    const reply = await poor.onWorkersAi("POST", path, {
      type: "email",
      id: "doc_1",
      content: `${EMAIL} ${mark}`,
    });
    expect([reply.status, reply.body.kind]).toEqual([400, "over_limit"]);
    expect((await poor.call("GET", `${path}/doc_1`)).status).toBe(404);
    expect(await askedFor(mark)).toEqual([]);
    // To store it alone costs nothing.
    const body = { type: "email", id: "doc_1", content: EMAIL, tasks: [] };
    expect((await poor.call("POST", path, body)).status).toBe(200);
  });

  it("is the same one for a repeated idempotency key, and is charged once", async () => {
    const content = under("ok");
    const send = () =>
      ask("POST", path, {
        key: tenant.key,
        body: { type: "email", content },
        headers: { "Idempotency-Key": "a" },
        env: WORKERS_AI,
      });
    const first = await send();
    const again = await send();
    expect(again.body).toEqual(first.body);
    expect(await lines()).toHaveLength(1);
  });
});

describe("the local stand-in", () => {
  it("reads the text, says that it did, and quotes it", async () => {
    const { status, body } = await tenant.call("POST", path, { type: "email", content: EMAIL });
    expect(status).toBe(200);
    for (const { task, engine, model, state } of body.tasks) {
      expect([task, engine, state]).toEqual([task, "embedded", "done"]);
      expect(model).toMatch(/^neurogate\//);
    }
    const { results } = body;
    expect(results.summary).toContain("The contract with Blue Harbour Ltd costs 12,500 EUR.");
    expect(results.category.label).toBe("business");
    expect(results.action_items).toMatchObject([{ by_when: "Friday" }]);
    expect(JSON.stringify(results.entities)).toContain("Blue Harbour Ltd");
  });
});

describe("the memory of a document that is worked on", () => {
  const LATIN = "Anna pays Tom. ".repeat(6000);

  it.each([
    ["of one byte a letter", LATIN, ["key_points"], 200],
    ["of two bytes a letter", `\u4e2d ${LATIN}`, ["key_points"], 503],
    ["of two bytes a letter, stored alone", `\u4e2d ${LATIN}`, [], 200],
  ])("is asked for: %s", async (_, content, tasks, expected) => {
    const totalBytes = 400_000;
    const bodies = new BodyBudget({
      ...BODY_LIMITS,
      totalBytes,
      largeBytes: totalBytes,
      waitMs: 50,
    });
    const deps = { mayRead: async () => null, record: async () => true, bodies };
    const request = new Request("https://gate.test/v1/documents", {
      method: "POST",
      headers: { Authorization: `Bearer ${tenant.key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ type: "other", content, tasks }),
    });
    const response = await createRouter([createDocument], deps).fetch(
      request,
      env,
      createExecutionContext(),
    );
    expect(response.status).toBe(expected);
    await response.arrayBuffer();
    expect(bodies.heldBytes).toBe(0);
    expect((await lines()).length).toBe(expected === 200 ? 1 : 0);
  });

  it("is asked for before a stored text is read to embed it", async () => {
    const stored = { type: "other", id: "doc_long", content: LATIN, tasks: [] };
    expect((await tenant.call("POST", "/v1/documents", stored)).status).toBe(200);
    const bodies = new BodyBudget({ ...BODY_LIMITS, totalBytes: 200_000, waitMs: 50 });
    const deps = { mayRead: async () => null, record: async () => true, bodies };
    const request = new Request("https://gate.test/v1/documents/doc_long/embed", {
      method: "POST",
      headers: { Authorization: `Bearer ${tenant.key}` },
    });
    const router = createRouter([embedDocument], deps);
    const response = await router.fetch(request, env, createExecutionContext());
    expect(response.status).toBe(503);
    await response.arrayBuffer();
    expect(bodies.heldBytes).toBe(0);
  });
});
