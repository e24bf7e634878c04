import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SliceParams } from "../../src/domain/pipelines/run.ts";
import { runStep } from "../../src/pipelines/run-step.ts";
import { emptyMemory } from "../../src/pipelines/step-context.ts";
import {
  admin,
  ask,
  makeKey,
  makeTenant,
  type Reply,
  type TestTenant,
  WITHOUT_RUNS,
  WORKERS_AI,
} from "../client.ts";
import { cleanUp, rows, workOf } from "../durable-objects/a-tenant.ts";
import { unique } from "./scripted.ts";
import { until } from "../until.ts";

// Runs of pipelines: through the real Workflow, and step by step where a test decides what fails.

const LEASE =
  "The lease of the workshop ends on 2027-03-31. The rent is 1,200 euros a month, due on the first.";
const FERRY = "The ferry crosses the lake four times a day. Dogs travel for free on the ferry.";
const GARDEN = "Tomatoes need sun and water. Plant them in May, after the last frost.";
const RUDE = "You are a worthless stupid idiot";

const RUNS = "/v1/pipelines/runs";
const ALL = ["fetch", "moderate", "summarize", "embed", "store"];

/** The runs of all tests together are more than an account takes in a minute. */
beforeEach(async () => {
  const rpm = { text_generation: 100_000, text_embeddings: 100_000 };
  await admin("PATCH", "/admin/account", { rpm });
});

let made = 0;
async function aTenant(settings: object = {}): Promise<TestTenant> {
  const rpm = { requests: 100_000, text_generation: 100_000, text_embeddings: 100_000 };
  made += 1;
  return makeTenant(`pipelines-${made}`, { daily_neurons: 100_000, rpm, ...settings });
}

const inline = (content: string, more: object = {}): object => ({
  type: "other",
  content,
  ...more,
});

const start = (tenant: TestTenant, documents: unknown[], steps = ALL): Promise<Reply> =>
  tenant.call("POST", RUNS, { documents, steps });

const read = async (tenant: TestTenant, id: string) =>
  (await tenant.call("GET", `${RUNS}/${id}`)).body;

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into replies freely
async function stepsOf(tenant: TestTenant, id: string): Promise<any[]> {
  return (await tenant.call("GET", `${RUNS}/${id}/steps?limit=200`)).body.data;
}

async function inState(tenant: TestTenant, id: string, states: readonly string[]) {
  let run = await read(tenant, id);
  await until(async () => {
    run = await read(tenant, id);
    return states.includes(run.state);
  });
  return run;
}

interface Unrun {
  readonly id: string;
  readonly params: SliceParams;
  /** Runs one step of a document, in another environment if need be. */
  readonly step: (position: number, step: number, other?: object) => ReturnType<typeof runStep>;
}

/** A step of which nothing is remembered, and after which the next one is not begun. */
const alone = () => ({ memory: emptyMemory(), beginsNext: false });

/** A run that nothing runs but its test. */
async function unrun(tenant: TestTenant, documents: unknown[], steps = ALL): Promise<Unrun> {
  const { status, body } = await ask("POST", RUNS, {
    key: tenant.key,
    body: { documents, steps },
    env: WITHOUT_RUNS,
  });
  expect([status, body]).toEqual([202, expect.anything()]);
  const params = { tenant: tenant.id, life: 1, run: body.id as string, slice: 0 };
  const step = (position: number, at: number, other: object = {}) =>
    runStep({ ...env, ...other }, params, { position, step: at }, alone());
  return { id: body.id, params, step };
}

/** The object, as it is for a process that dies before a call of this method. */
const without = (id: string, method: string): object => ({
  TENANT: {
    getByName: () =>
      new Proxy(env.TENANT.getByName(id), {
        get: (stub, name) =>
          name === method
            ? () => Promise.reject(new Error("killed"))
            : (Reflect.get(stub, name) as unknown),
      }),
  },
});

const journal = (tenant: TestTenant) =>
  rows(tenant.id, `SELECT * FROM journal WHERE route = 'POST ${RUNS}' ORDER BY id`);

const chargedOf = async (tenant: TestTenant): Promise<number> =>
  (await journal(tenant)).reduce((sum, line) => sum + Number(line["quota"]), 0);

const isOfDocuments = ({ key }: R2Object): boolean => key.includes("/documents/");

const messageOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "no error",
    (error: Error) => error.message,
  );

/** Until the tenant's alarm has erased the files of its runs: nothing can be written to them any more. */
async function untilFilesAreErased(tenant: TestTenant): Promise<void> {
  vi.setSystemTime(Date.now() + 181_000);
  // The alarm may have begun by itself.
  await runDurableObjectAlarm(env.TENANT.getByName(tenant.id));
  await until(async () => (await runFiles(tenant)).length === 0);
}

async function runFiles(tenant: TestTenant): Promise<R2Object[]> {
  const { objects } = await env.IMAGES.list({ prefix: `${tenant.id}/` });
  return objects.filter(({ key }) => key.includes("/pipelines/"));
}

describe("a run", () => {
  afterEach(cleanUp);

  it("takes each document through its steps, charges each once, and tells when it is done", async () => {
    const tenant = await aTenant();
    const hook = {
      url: "https://receiver.acme-shop.com/",
      events: ["pipeline.completed", "pipeline.failed"],
    };
    await tenant.call("POST", "/v1/webhooks", hook);
    const stored = await tenant.call("POST", "/v1/documents", {
      type: "other",
      content: GARDEN,
      tasks: [],
    });
    const { status, body } = await start(tenant, [
      inline(LEASE, { id: "doc_lease", user_id: "anna" }),
      inline(FERRY),
      stored.body.id,
    ]);
    expect(status).toBe(202);
    expect(body).toMatchObject({
      object: "pipeline_run",
      state: "running",
      steps: ["fetch", "moderate", "summarize", "store", "embed"],
      counts: { documents: 3, pending: 3 },
    });
    const run = await inState(tenant, body.id, ["completed"]);
    expect(run.counts).toEqual({
      documents: 3,
      pending: 0,
      succeeded: 3,
      failed: 0,
      failed_as: {},
    });
    const steps = await stepsOf(tenant, body.id);
    expect(steps).toHaveLength(15);
    expect(new Set(steps.map(({ status: state }) => state))).toEqual(new Set(["succeeded"]));
    const cost = steps.reduce((sum, step) => sum + step.micro_neurons, 0);
    expect(cost).toBeGreaterThan(0);
    expect(run.micro_neurons).toBe(cost);
    expect(await chargedOf(tenant)).toBe(cost);
    expect((await tenant.call("GET", "/v1/limits")).body.posted_micro_neurons).toBe(cost);
    // A line for each call: moderation, summary and passages of each, and the two that were stored.
    expect(await journal(tenant)).toHaveLength(11);
    expect(await workOf(tenant.id)).toEqual({
      documents: 1,
      document_calls: 12,
      document_micro_neurons: cost,
      pipelines: 1,
      pipelines_completed: 1,
      pipeline_documents: 3,
      pipeline_documents_succeeded: 3,
      pipeline_slices: 1,
      pipeline_steps: 15,
      pipeline_ms: run.duration_ms,
      pipeline_micro_neurons: cost,
    });
    const costs = (await tenant.call("GET", "/v1/costs")).body;
    expect(costs.documents.documents).toBe(4);
    expect(costs.executions.pipelines).toEqual({
      executions: 1,
      completed: 1,
      steps: 15,
      duration_ms: run.duration_ms,
      micro_neurons: cost,
      documents_succeeded: 3,
      documents_failed: 0,
    });

    const document = (await tenant.call("GET", "/v1/documents/doc_lease?include=text")).body;
    expect(document).toMatchObject({ text: LEASE, user_id: "anna", state: "ready" });
    expect(document.results.summary).toEqual(expect.any(String));
    expect(document.tasks).toMatchObject([{ task: "summary", state: "done" }]);
    const second = (await tenant.call("GET", `/v1/documents/${stored.body.id}`)).body;
    expect(second.results.summary).toEqual(expect.any(String));
    const found = await tenant.call("POST", "/v1/documents/search", { query: "dogs on a ferry" });
    expect(found.body.data[0]).toMatchObject({ document_id: steps[5].document_id });
    const verdicts = (await tenant.call("GET", "/v1/verdicts")).body.data;
    expect(verdicts).toHaveLength(3);

    const events = await tenant.call("GET", "/v1/events");
    expect(events.body.data).toMatchObject([{ type: "pipeline.completed", data: run }]);
    await untilFilesAreErased(tenant);
  });

  it("pays nothing for a document whose id is taken", async () => {
    const tenant = await aTenant();
    const id = "doc_taken";
    await tenant.call("POST", "/v1/documents", { id, type: "other", content: LEASE, tasks: [] });
    const documents = [inline(FERRY, { id }), inline(GARDEN)];
    const { body } = await start(tenant, documents, ["summarize", "store"]);
    const run = await inState(tenant, body.id, ["completed"]);
    expect(run.counts).toMatchObject({ succeeded: 1, failed: 1, failed_as: { id_taken: 1 } });
    const steps = await stepsOf(tenant, body.id);
    expect(steps.filter(({ document }) => document === 0)).toMatchObject([
      { name: "fetch", status: "failed", failed_as: "id_taken", micro_neurons: 0 },
    ]);
  });

  it("goes on when a document fails", async () => {
    const tenant = await aTenant();
    const { body } = await start(tenant, [inline(RUDE), "doc_missing", inline(FERRY)]);
    const run = await inState(tenant, body.id, ["completed"]);
    expect(run.counts).toMatchObject({
      succeeded: 1,
      failed: 2,
      failed_as: { blocked: 1, not_found: 1 },
    });
    const steps = await stepsOf(tenant, body.id);
    expect(steps.filter(({ document }) => document === 0)).toMatchObject([
      { name: "fetch", status: "succeeded" },
      { name: "moderate", status: "failed", decision: "block", failed_as: "blocked" },
    ]);
    expect(steps.filter(({ document }) => document === 1)).toMatchObject([
      { name: "fetch", status: "failed", failed_as: "not_found", calls: 1, micro_neurons: 0 },
    ]);
    // What was blocked is not stored.
    expect((await tenant.call("GET", "/v1/documents")).body.data).toHaveLength(1);
    expect(await chargedOf(tenant)).toBe(run.micro_neurons);
    expect(await workOf(tenant.id)).toMatchObject({
      pipeline_documents: 3,
      pipeline_documents_succeeded: 1,
      pipeline_documents_failed: 2,
      pipeline_steps: 8,
    });
  });

  it("is more than one instance", async () => {
    const tenant = await aTenant();
    const documents = Array.from({ length: 60 }, (_, at) => inline(`${FERRY} ${at}`));
    const { body } = await start(tenant, documents, ["moderate"]);
    const run = await inState(tenant, body.id, ["completed"]);
    expect(run.counts).toMatchObject({ documents: 60, succeeded: 60 });
    expect(await journal(tenant)).toHaveLength(60);
    const other = await env.PIPELINES.get(`${body.id}-1`);
    expect(await other.status()).toMatchObject({ status: expect.any(String) });
  });

  it("has its steps read as pages and as lines, and its progress as events", async () => {
    const tenant = await aTenant();
    const { body } = await start(tenant, [inline(LEASE), inline(FERRY)], ["moderate", "store"]);
    await inState(tenant, body.id, ["completed"]);
    const path = `${RUNS}/${body.id}/steps`;
    const page = (await tenant.call("GET", `${path}?limit=4`)).body;
    expect(page).toMatchObject({ has_more: true, next_cursor: "1.1" });
    const rest = (await tenant.call("GET", `${path}?limit=4&cursor=${page.next_cursor}`)).body;
    expect(rest.data).toMatchObject([
      { document: 1, name: "moderate" },
      { document: 1, name: "store" },
    ]);
    const lines = await tenant.call("GET", `${path}?limit=2`, undefined, {
      accept: "application/x-ndjson",
    });
    const all = String(lines.body)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(all).toEqual([...page.data, ...rest.data]);
    expect(all[0].usd).toBe("0");
    expect((await tenant.call("GET", `${path}?cursor=nonsense`)).status).toBe(400);
    const events = await tenant.call("GET", `${RUNS}/${body.id}/events`);
    const [first, ...others] = String(events.body).trim().split("\n\n");
    expect(others).toEqual([]);
    expect(first).toMatch(/^event: run\ndata: \{"id":"run_.*"state":"completed"/);
  });

  it("is for its tenant", async () => {
    const tenant = await aTenant();
    const other = await aTenant();
    const { id } = await unrun(tenant, [inline(FERRY)]);
    for (const path of ["", "/steps", "/events"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await other.call("GET", `${RUNS}/${id}${path}`)).status).toBe(404);
    }
    expect((await other.call("POST", `${RUNS}/${id}/cancel`)).status).toBe(404);
    expect((await other.call("GET", RUNS)).body.data).toEqual([]);
    // Nor does a run of the other one read its documents.
    await tenant.call("POST", "/v1/documents", {
      type: "other",
      id: "doc_own",
      content: GARDEN,
      tasks: [],
    });
    const foreign = await unrun(other, ["doc_own"]);
    expect(await foreign.step(0, 0)).toEqual({ kind: "over" });
    expect((await read(other, foreign.id)).counts.failed_as).toEqual({ not_found: 1 });
  });

  it("is made once for an idempotency key", async () => {
    const tenant = await aTenant();
    const headers = { "Idempotency-Key": "one" };
    const send = (documents: unknown[]) =>
      ask("POST", RUNS, {
        key: tenant.key,
        headers,
        body: { documents, steps: ["moderate"] },
        env: WITHOUT_RUNS,
      });
    const first = await send([inline(FERRY)]);
    expect((await send([inline(FERRY)])).body.id).toBe(first.body.id);
    expect((await send([inline(LEASE)])).body.kind).toBe("idempotency_key_reused");
  });
});

describe("a step that is run again", () => {
  it.each([
    ["moderate", 1],
    ["summarize", 2],
    ["store", 3],
    ["embed", 4],
  ])("charges once when %s was not reported", async (_name, at) => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE), inline(FERRY)]);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (let before = 0; before < at; before += 1) await step(0, before);
    const lost = step(0, at, without(tenant.id, "reportPipelineStep"));
    expect(await messageOf(lost)).toBe("killed");
    const lines = await journal(tenant);
    const charged = await chargedOf(tenant);
    expect(await step(0, at)).toEqual({ kind: "next" });
    expect(await journal(tenant)).toEqual(lines);
    expect((await read(tenant, id)).micro_neurons).toBe(charged);
    const step4 = (await stepsOf(tenant, id)).at(-1);
    expect(step4).toMatchObject({ status: "succeeded", attempts: 2, calls: 1 });
    // The answer that was given before is the one that is kept.
    if (at === 2) expect(await step(0, 3)).toEqual({ kind: "next" });
    const { results } = (await tenant.call("GET", `/v1/documents/${step4.document_id}`)).body;
    if (at >= 2) expect(results.summary).toEqual(expect.any(String));
  });

  it("charges once when its call was not settled", async () => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE), inline(FERRY)]);
    await step(0, 0);
    const lost = step(0, 1, without(tenant.id, "settle"));
    // Whether it was charged is not known yet.
    expect(await messageOf(lost)).toBe("settlement_unavailable");
    expect(await journal(tenant)).toMatchObject([{ outcome: "pending" }]);
    expect(await step(0, 1)).toEqual({ kind: "next" });
    expect(await journal(tenant)).toMatchObject([{ outcome: "posted" }]);
    expect((await read(tenant, id)).micro_neurons).toBe(await chargedOf(tenant));
  });

  it("charges once when nothing was heard after its vectors were charged", async () => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE), inline(FERRY)], ["embed", "store"]);
    for (const at of [0, 1]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await step(0, at);
    }
    expect(await messageOf(step(0, 2, without(tenant.id, "vectorsWritten")))).toBe("killed");
    const lines = await journal(tenant);
    expect(await step(0, 2)).toEqual({ kind: "next" });
    expect(await journal(tenant)).toEqual(lines);
    expect((await read(tenant, id)).micro_neurons).toBe(await chargedOf(tenant));
    expect(await rows(tenant.id, "SELECT state FROM vector_sets")).toEqual([{ state: "ready" }]);
  });

  it("waits while another call embeds its document", async () => {
    const tenant = await aTenant();
    const id = "doc_shared";
    await tenant.call("POST", "/v1/documents", { type: "other", id, content: LEASE, tasks: [] });
    const { step } = await unrun(tenant, [id, inline(FERRY)], ["embed", "store"]);
    await step(0, 0);
    await step(0, 1);
    const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>();
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    const run = async (...sent: Parameters<Env["AI"]["run"]>) => {
      asked();
      await mayAnswer;
      return env.AI.run(...sent);
    };
    const path = `/v1/documents/${id}/embed`;
    const other = ask("POST", path, { key: tenant.key, env: { ...WORKERS_AI, AI: { run } } });
    await isAsked;
    expect(await step(0, 2, WORKERS_AI)).toEqual({ kind: "wait", ms: 1000 });
    answer();
    expect((await other).status).toBe(200);
    const lines = await journal(tenant);
    expect(await step(0, 2, WORKERS_AI)).toEqual({ kind: "next" });
    expect(await journal(tenant)).toEqual(lines);
  });

  it("was begun by the report of the one before, and asks again only when it is repeated", async () => {
    const tenant = await aTenant();
    const { id, params } = await unrun(tenant, [inline(LEASE), inline(FERRY)]);
    const going = { memory: emptyMemory(), beginsNext: true };
    const step = (at: number, other: object = {}) =>
      runStep({ ...env, ...other }, params, { position: 0, step: at }, going);
    const unasked = without(tenant.id, "beginPipelineStep");
    expect(await step(0)).toEqual({ kind: "next" });
    expect(await stepsOf(tenant, id)).toMatchObject([
      { name: "fetch", status: "succeeded" },
      { name: "moderate", status: "running", attempts: 1 },
    ]);
    // Neither the object nor the bucket is asked again.
    expect(await step(1, { ...unasked, IMAGES: {} })).toEqual({ kind: "next" });
    expect(await messageOf(step(2, without(tenant.id, "reportPipelineStep")))).toBe("killed");
    expect(await messageOf(step(2, unasked))).toBe("killed");
    expect(await step(2)).toEqual({ kind: "next" });
    expect(await stepsOf(tenant, id)).toMatchObject([
      { attempts: 1, calls: 1 },
      { attempts: 1, calls: 1 },
      { name: "summarize", status: "succeeded", attempts: 2, calls: 1 },
      { name: "store", status: "running", attempts: 1 },
    ]);
    expect(await journal(tenant)).toHaveLength(2);
  });

  it("counts once when two run it at once", async () => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE), inline(FERRY)]);
    await step(0, 0);
    await Promise.allSettled([1, 2, 3].map(() => step(0, 1)));
    expect(await step(0, 1)).toEqual({ kind: "next" });
    expect(await journal(tenant)).toHaveLength(1);
    expect((await read(tenant, id)).micro_neurons).toBe(await chargedOf(tenant));
  });
});

describe("a run that nothing is heard of", () => {
  afterEach(cleanUp);

  it("is begun by the alarm, at the first document without an outcome", async () => {
    const tenant = await aTenant();
    const documents = Array.from({ length: 52 }, (_, at) => inline(`${FERRY} ${at}`));
    const { id, step } = await unrun(tenant, documents, ["moderate"]);
    await step(0, 0);
    vi.setSystemTime(Date.now() + 71_000);
    await runDurableObjectAlarm(env.TENANT.getByName(tenant.id));
    const run = await inState(tenant, id, ["completed"]);
    expect(run.counts).toMatchObject({ succeeded: 52, failed: 0 });
    expect(await journal(tenant)).toHaveLength(52);
  });

  it("is admitted under the same ids when it is not known whether it was", async () => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE), inline(FERRY)]);
    await step(0, 0);
    expect(await messageOf(step(0, 1, without(tenant.id, "admit")))).toBe("internal");
    expect(await step(0, 1)).toEqual({ kind: "next" });
    expect(await journal(tenant)).toHaveLength(1);
    expect((await stepsOf(tenant, id)).at(-1)).toMatchObject({ attempts: 2, calls: 1 });
  });

  it("tries again when a hold has expired, and counts what that was charged", async () => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE), inline(FERRY)]);
    await step(0, 0);
    await messageOf(step(0, 1, without(tenant.id, "settle")));
    vi.setSystemTime(Date.now() + 100_000);
    expect(await messageOf(step(0, 1))).toBe("expired");
    expect(await step(0, 1)).toEqual({ kind: "next" });
    const lines = await journal(tenant);
    expect(lines.map((line) => line["outcome"])).toEqual(["expired", "posted"]);
    expect((await stepsOf(tenant, id)).at(-1)).toMatchObject({
      status: "succeeded",
      calls: 2,
      micro_neurons: await chargedOf(tenant),
    });
  });
});

describe("a person and a document that go meanwhile", () => {
  afterEach(cleanUp);

  it("leave no file of results behind", async () => {
    const tenant = await aTenant();
    const id = "doc_going";
    await tenant.call("POST", "/v1/documents", { type: "other", id, content: LEASE, tasks: [] });
    const { step } = await unrun(tenant, [id, inline(FERRY)]);
    for (const at of [0, 1, 2]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await step(0, at)).toEqual({ kind: "next" });
    }
    const files = async () =>
      (await env.IMAGES.list({ prefix: `${tenant.id}/` })).objects.filter(isOfDocuments);
    expect(await files()).toHaveLength(1);
    const stub = env.TENANT.getByName(tenant.id);
    // Deleted, and its files erased, when the step has read it and before it writes.
    const bucket = new Proxy(env.IMAGES, {
      get: (object, name) =>
        name === "put"
          ? async (key: string, value: string) => {
              await tenant.call("DELETE", `/v1/documents/${id}`);
              await runDurableObjectAlarm(stub);
              // The alarm may have begun by itself, and not have ended.
              // oxlint-disable-next-line no-await-in-loop -- until its files are gone
              while ((await files()).length > 0) await scheduler.wait(5);
              return object.put(key, value);
            }
          : (Reflect.get(object, name) as () => unknown).bind(object),
    });
    const next = await step(0, 3, { IMAGES: bucket });
    expect(next).toEqual({ kind: "ended" });
    // The alarm may have begun by itself.
    await runDurableObjectAlarm(stub);
    await until(async () => (await files()).length === 0);
    expect(await files()).toEqual([]);
  });

  it("leave an id to another document, which the run does not read", async () => {
    const tenant = await aTenant();
    const id = "doc_again";
    const post = (content: string) =>
      tenant.call("POST", "/v1/documents", { type: "other", id, content, tasks: [] });
    await post(LEASE);
    const run = await unrun(tenant, [id, inline(FERRY)]);
    for (const at of [0, 1]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await run.step(0, at)).toEqual({ kind: "next" });
    }
    await tenant.call("DELETE", `/v1/documents/${id}`);
    expect((await post(GARDEN)).status).toBe(200);
    expect(await run.step(0, 2)).toEqual({ kind: "ended" });
    expect((await read(tenant, run.id)).counts.failed_as).toEqual({ not_found: 1 });
  });

  it("leave an id to another document, which gets nothing of the run's own one", async () => {
    const tenant = await aTenant();
    const own = (id: string) => inline(LEASE, { id });
    const { id: run, step } = await unrun(tenant, [own("doc_a"), own("doc_b"), inline(FERRY)]);
    const replace = async (id: string) => {
      expect((await tenant.call("DELETE", `/v1/documents/${id}`)).status).toBe(204);
      const body = { type: "other", id, content: RUDE, tasks: [] };
      expect((await tenant.call("POST", "/v1/documents", body)).status).toBe(200);
    };
    for (const at of [0, 1, 2]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect([await step(0, at), await step(1, at)]).toMatchObject([
        { kind: "next" },
        { kind: "next" },
      ]);
    }
    // Stored, and replaced before its vectors are made.
    expect(await step(0, 3)).toEqual({ kind: "next" });
    await replace("doc_a");
    expect(await step(0, 4)).toEqual({ kind: "ended" });
    expect(await rows(tenant.id, "SELECT key FROM vector_sets")).toEqual([]);
    // Stored by a step that was killed, and replaced before that is run again.
    expect(await messageOf(step(1, 3, without(tenant.id, "pinRunDocument")))).toBe("killed");
    await replace("doc_b");
    expect(await step(1, 3)).toEqual({ kind: "ended" });
    expect((await tenant.call("GET", "/v1/documents/doc_b")).body.tasks).toEqual([]);
    expect((await read(tenant, run)).counts.failed_as).toEqual({ not_found: 2 });
  });

  it("keep an erasure open until the run's files are gone", async () => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE, { user_id: "anna" })]);
    await step(0, 0);
    const erasure = await tenant.call("POST", "/v1/erasures", { user_id: "anna" });
    const path = `/v1/erasures/${erasure.body.id}`;
    await runDurableObjectAlarm(env.TENANT.getByName(tenant.id));
    const open = (await tenant.call("GET", path)).body;
    expect(open.state).not.toBe("done");
    await tenant.call("POST", `${RUNS}/${id}/cancel`);
    await untilFilesAreErased(tenant);
    const files = await env.IMAGES.list({ prefix: `${tenant.id}/` });
    expect(files.objects).toEqual([]);
  });

  it("leave no result behind that a step wrote after the run was stopped", async () => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE, { user_id: "anna" }), inline(FERRY)]);
    for (const at of [0, 1]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await step(0, at)).toEqual({ kind: "next" });
    }
    const stub = env.TENANT.getByName(tenant.id);
    // The run is stopped, and the alarm rings, when the engine has answered and before the result is kept.
    const bucket = new Proxy(env.IMAGES, {
      get: (object, name) =>
        name === "put"
          ? async (key: string, value: string) => {
              await stub.stopRun(1, { id, as: "tenant_suspended" });
              await runDurableObjectAlarm(stub);
              return object.put(key, value);
            }
          : (Reflect.get(object, name) as () => unknown).bind(object),
    });
    expect(await step(0, 2, { IMAGES: bucket })).toEqual({ kind: "over" });
    expect(await runFiles(tenant)).not.toEqual([]);
    // The run had been counted, and what came late is added.
    const work = await workOf(tenant.id);
    expect(work).toMatchObject({ pipelines: 1, pipeline_steps: 3 });
    expect(work["pipeline_micro_neurons"]).toBe(await chargedOf(tenant));
    expect(work["pipeline_micro_neurons"]).toBe(work["document_micro_neurons"]);
    // It reported after the end, and that is no bucket that failed.
    vi.setSystemTime(Date.now() + 100_000);
    await runDurableObjectAlarm(stub);
    expect(await runFiles(tenant)).not.toEqual([]);
    await untilFilesAreErased(tenant);
  });
});

describe("an engine that fails", () => {
  it("is asked three times, then the document goes on without that task", async () => {
    const tenant = await aTenant();
    const broken = inline(`[[fake:doc_summary=500|${unique()}]] ${LEASE}`);
    const { id, step } = await unrun(tenant, [broken, inline(FERRY)]);
    await step(0, 0);
    // The verdict is the local engine's: this is about the task.
    await step(0, 1);
    expect(await messageOf(step(0, 2, WORKERS_AI))).toBe("engine_failed");
    expect(await messageOf(step(0, 2, WORKERS_AI))).toBe("engine_failed");
    expect((await stepsOf(tenant, id)).at(-1)).toMatchObject({
      status: "waiting",
      calls: 2,
      failed_as: "engine_failed",
    });
    expect(await step(0, 2, WORKERS_AI)).toEqual({ kind: "next" });
    expect((await stepsOf(tenant, id)).at(-1)).toMatchObject({ status: "failed", calls: 3 });
    const lines = await journal(tenant);
    // A slice that is run again does not ask once more.
    expect(await step(0, 2, WORKERS_AI)).toEqual({ kind: "next" });
    expect(await journal(tenant)).toEqual(lines);
    expect((await read(tenant, id)).counts).toMatchObject({ failed: 0, pending: 2 });
    for (const at of [3, 4]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await step(0, at)).toEqual({ kind: "next" });
    }
    const run = await read(tenant, id);
    expect(run.counts).toMatchObject({ failed_as: { engine_failed: 1 }, pending: 1 });
    expect(run.micro_neurons).toBe(await chargedOf(tenant));
    // The other document goes on.
    expect(await step(1, 0)).toEqual({ kind: "next" });
  });
});

/** A run at the step whose engine does so. */
const atSummary = async (behaviour: string) => {
  const tenant = await aTenant();
  const busy = inline(`[[fake:doc_summary=${behaviour}|${unique()}]] ${LEASE}`);
  const { id, step } = await unrun(tenant, [busy]);
  await step(0, 0);
  await step(0, 1);
  return { tenant, id, step: () => step(0, 2, WORKERS_AI) };
};

const refuses = () =>
  Promise.reject(Object.assign(new Error("5016: not for you"), { name: "InferenceUpstreamError" }));

describe("an engine that refuses a call for good", () => {
  it("is asked once, then the document goes on without that task", async () => {
    const { tenant, id, step } = await atSummary("5016");
    expect(await step()).toEqual({ kind: "next" });
    expect((await stepsOf(tenant, id)).at(-1)).toMatchObject({
      status: "failed",
      attempts: 1,
      calls: 1,
      failed_as: "engine_failed",
      micro_neurons: 0,
    });
  });

  it("is asked once for the vectors of a document, which fails", async () => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE)], ["fetch", "store", "embed"]);
    await step(0, 0);
    await step(0, 1);
    const refused = { ...WORKERS_AI, AI: { run: refuses } };
    expect(await step(0, 2, refused)).toMatchObject({ kind: "over" });
    expect(await read(tenant, id)).toMatchObject({
      state: "completed",
      counts: { failed_as: { engine_failed: 1 } },
    });
  });
});

describe("an engine that asks for a wait", () => {
  it("gets it between two of its three tries", async () => {
    const { tenant, id, step } = await atSummary("3040@30");
    expect(await step()).toEqual({ kind: "wait", ms: 30_000 });
    expect((await stepsOf(tenant, id)).at(-1)).toMatchObject({
      status: "waiting",
      failed_as: "engine_busy",
      micro_neurons: 0,
    });
    expect(await step()).toEqual({ kind: "wait", ms: 30_000 });
    // The document goes on without its summary.
    expect(await step()).toEqual({ kind: "next" });
    expect((await stepsOf(tenant, id)).at(-1)).toMatchObject({
      status: "failed",
      failed_as: "engine_busy",
      calls: 3,
    });
  });

  it("gets no more than a minute: a run that is silent for longer counts as stuck", async () => {
    const { step } = await atSummary("3040@4000");
    expect(await step()).toEqual({ kind: "wait", ms: 60_000 });
  });

  it("gets it from the judge's call, which asks once more", async () => {
    const tenant = await aTenant();
    const documents = [inline(about("judge=3040@ms1200,ok"))];
    const { id, step } = await unrun(tenant, documents, ["moderate"]);
    await step(0, 0);
    await step(0, 1, WORKERS_AI);
    expect((await stepsOf(tenant, id)).at(-1)).toMatchObject({
      name: "moderate",
      status: "succeeded",
      decision: "allow",
    });
    expect(await journal(tenant)).toHaveLength(1);
  });
});

/** A text about which the scripted model behaves so. */
const about = (behaviour: string): string => `[[fake:${behaviour}|${unique()}]]\n${LEASE}`;

describe("an answer that cannot be used", () => {
  const steps = ["summarize", "categorize", "store"];

  it.each([
    ["other_category", "not_in_text"],
    ["prose", "malformed_answer"],
  ])("is charged once, and the document is stored without it: %s", async (behaviour, failure) => {
    const tenant = await aTenant();
    const id = "doc_report";
    const content = about(`doc_category=${behaviour}`);
    const documents = [{ type: "report", id, content }];
    const run = await unrun(tenant, documents, steps);
    for (const at of [0, 1, 2]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await run.step(0, at, WORKERS_AI)).toEqual({ kind: "next" });
    }
    expect(await run.step(0, 3)).toEqual({ kind: "over" });
    const [, , categorize, store] = await stepsOf(tenant, run.id);
    expect([categorize, store]).toMatchObject([
      { status: "failed", failed_as: failure, calls: 1 },
      { status: "succeeded" },
    ]);
    const document = (await tenant.call("GET", `/v1/documents/${id}`)).body;
    expect(document).toMatchObject({
      results: { summary: expect.any(String), category: null },
      tasks: [
        { task: "summary", state: "done" },
        { task: "category", state: "failed", failure, micro_neurons: categorize.micro_neurons },
      ],
    });
    const after = await read(tenant, run.id);
    expect(after).toMatchObject({
      state: "completed",
      counts: { failed: 1, failed_as: { [failure]: 1 } },
    });
    expect(await journal(tenant)).toHaveLength(3);
    expect(after.micro_neurons).toBe(await chargedOf(tenant));
  });

  it("leaves the result that a stored document has", async () => {
    const tenant = await aTenant();
    const id = "doc_report";
    // The second answer is of no use.
    const content = about("doc_category=ok,other_category");
    const first = await tenant.onWorkersAi("POST", "/v1/documents", {
      type: "report",
      id,
      content,
      tasks: ["category"],
    });
    expect(first.body.results.category).not.toBeNull();
    const run = await unrun(tenant, [id], ["categorize", "store"]);
    for (const at of [0, 1, 2]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await run.step(0, at, WORKERS_AI);
    }
    expect((await read(tenant, run.id)).counts.failed_as).toEqual({ not_in_text: 1 });
    const { results, tasks } = (await tenant.call("GET", `/v1/documents/${id}`)).body;
    expect([results, tasks]).toEqual([first.body.results, first.body.tasks]);
  });
});

describe("runs that store results of one document at once", () => {
  it("keep the results of all of them", async () => {
    const tenant = await aTenant();
    const id = "doc_shared";
    const document = { type: "report", id, content: LEASE, tasks: ["action_items"] };
    expect((await tenant.call("POST", "/v1/documents", document)).status).toBe(200);
    const tasks = ["summarize", "key_points", "entities"];
    const runs = await Promise.all(tasks.map((task) => unrun(tenant, [id], [task, "store"])));
    for (const { step } of runs) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (const at of [0, 1]) expect(await step(0, at)).toEqual({ kind: "next" });
    }
    // Each reads the results before the first of them is written.
    const { promise: areRead, resolve: allRead } = Promise.withResolvers<void>();
    let reads = 0;
    const bucket = new Proxy(env.IMAGES, {
      get: (object, name) =>
        name === "get"
          ? async (...asked: Parameters<R2Bucket["get"]>) => {
              const found = await object.get(...asked);
              if (!asked[0].endsWith("/results.json")) return found;
              reads += 1;
              if (reads === runs.length) allRead();
              await areRead;
              return found;
            }
          : (Reflect.get(object, name) as () => unknown).bind(object),
    });
    const stored = runs.map(({ step }) => step(0, 2, { IMAGES: bucket }));
    expect(await Promise.all(stored)).toEqual(runs.map(() => ({ kind: "over" })));
    const after = (await tenant.call("GET", `/v1/documents/${id}`)).body;
    const all = ["action_items", "entities", "key_points", "summary"];
    expect(Object.keys(after.results).toSorted()).toEqual(all);
    expect(after.tasks.map(({ task }: { task: string }) => task).toSorted()).toEqual(all);
  });

  it("keep what was there when the bucket fails, and add theirs when it answers again", async () => {
    const tenant = await aTenant();
    const id = "doc_failing";
    const document = { type: "report", id, content: LEASE, tasks: ["action_items"] };
    expect((await tenant.call("POST", "/v1/documents", document)).status).toBe(200);
    const { step } = await unrun(tenant, [id], ["summarize", "store"]);
    expect(await step(0, 0)).toEqual({ kind: "next" });
    expect(await step(0, 1)).toEqual({ kind: "next" });
    const bucket = new Proxy(env.IMAGES, {
      get: (object, name) =>
        name === "put"
          ? () => Promise.reject(new Error("no bucket"))
          : (Reflect.get(object, name) as () => unknown).bind(object),
    });
    const stored = async () => (await tenant.call("GET", `/v1/documents/${id}`)).body;
    expect(await messageOf(step(0, 2, { IMAGES: bucket }))).toBe("the bucket failed");
    expect(Object.keys((await stored()).results)).toEqual(["action_items"]);
    expect(await step(0, 2)).toEqual({ kind: "over" });
    const { results, tasks } = await stored();
    expect(Object.keys(results).toSorted()).toEqual(["action_items", "summary"]);
    expect(tasks).toHaveLength(2);
  });
});

describe("a refusal", () => {
  it("of the day stops a run, and what is left is counted", async () => {
    const tenant = await aTenant({ daily_neurons: 60 });
    const documents = Array.from({ length: 40 }, (_, at) => inline(`${LEASE} ${at}`));
    const { body } = await start(tenant, documents, ["moderate"]);
    const run = await inState(tenant, body.id, ["stopped"]);
    expect(run.stopped_as).toBe("quota_exceeded");
    expect(run.counts.succeeded).toBeGreaterThan(0);
    expect(run.counts.pending).toBe(40 - run.counts.succeeded);
    expect(run.micro_neurons).toBe(await chargedOf(tenant));
    const limits = (await tenant.call("GET", "/v1/limits")).body;
    expect(limits.posted_micro_neurons).toBe(run.micro_neurons);
  });

  it("of a key that ended stops it", async () => {
    const tenant = await aTenant();
    const key = await makeKey(tenant.id, "call");
    const { id, step } = await unrun({ ...tenant, key }, [inline(LEASE)]);
    const keys = (await tenant.call("GET", "/v1/keys")).body.data;
    const own = keys.find(({ role }: { role: string }) => role === "call");
    await tenant.call("DELETE", `/v1/keys/${own.id}`);
    await step(0, 0);
    expect(await step(0, 1)).toEqual({ kind: "over" });
    expect(await read(tenant, id)).toMatchObject({ state: "stopped", stopped_as: "invalid_key" });
    const events = (await tenant.call("GET", "/v1/events")).body.data;
    expect(events).toMatchObject([]);
  });

  it("of a suspended tenant stops it", async () => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE)]);
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { suspended: true });
    expect(await step(0, 0)).toEqual({ kind: "over" });
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { suspended: false });
    expect(await read(tenant, id)).toMatchObject({ stopped_as: "tenant_suspended" });
  });
});

describe("a run that is canceled", () => {
  it("ends at once where nothing runs", async () => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE)]);
    await step(0, 0);
    const canceled = await tenant.call("POST", `${RUNS}/${id}/cancel`);
    expect(canceled.body).toMatchObject({ state: "canceled", counts: { pending: 1 } });
    expect(await step(0, 1)).toEqual({ kind: "over" });
    expect(await journal(tenant)).toHaveLength(0);
  });

  it("counts what was in progress", async () => {
    const tenant = await aTenant();
    const { id, step } = await unrun(tenant, [inline(LEASE), inline(FERRY)]);
    await step(0, 0);
    await messageOf(step(0, 1, without(tenant.id, "reportPipelineStep")));
    const canceled = await tenant.call("POST", `${RUNS}/${id}/cancel`);
    expect(canceled.body.state).toBe("canceling");
    expect(await step(1, 0)).toEqual({ kind: "over" });
    expect(await step(0, 1)).toEqual({ kind: "over" });
    const run = await read(tenant, id);
    expect(run.state).toBe("canceled");
    expect(run.micro_neurons).toBeGreaterThan(0);
    expect(run.micro_neurons).toBe(await chargedOf(tenant));
  });
});

describe("what cannot be", () => {
  it.each([
    [{ documents: [], steps: ["moderate"] }, "#/documents"],
    [{ documents: ["doc_a"], steps: [] }, "#/steps"],
    [{ documents: ["doc_a"], steps: ["fetch"] }, "#/steps"],
    [{ documents: ["doc_a"], steps: ["moderate", "moderate"] }, "#/steps"],
    [{ documents: ["doc_a"], steps: ["summarize"] }, "#/steps"],
    [{ documents: [inline(FERRY)], steps: ["embed"] }, "#/steps"],
    [{ documents: ["doc_a", "doc_a"], steps: ["moderate"] }, "#/documents/1"],
    [{ documents: ["https://example.com/a"], steps: ["moderate"] }, "#/documents/0"],
    [{ documents: [inline("x".repeat(65_537))], steps: ["moderate"] }, "#/documents/0"],
    [{ documents: [inline(" \u0000\n")], steps: ["moderate"] }, "#/documents/0"],
    [{ documents: ["doc_a"], steps: ["moderate"], policy: "no-such" }, "#/policy"],
    [{ documents: ["doc_a"], steps: ["embed"], model: "@cf/baai/bge-m3" }, "#/model"],
  ])("is refused with its place: %#", async (body, pointer) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", RUNS, body);
    expect(reply.status).toBe(400);
    const pointers = reply.body.errors.map((error: { pointer: string }) => error.pointer);
    expect(pointers.some((one: string) => one.startsWith(pointer))).toBe(true);
    expect((await tenant.call("GET", RUNS)).body.data).toEqual([]);
  });

  it.each([
    [{ model: "no-such" }, {}, "model_not_found"],
    [{ model: "@cf/meta/llama-2-7b-chat-int8" }, {}, "model_retired"],
    [{}, { models: ["@cf/meta/llama-3.1-8b-instruct-fp8"] }, "model_not_allowed"],
  ])("is a run whose model cannot run: %j", async (body, settings, kind) => {
    const tenant = await aTenant(settings);
    const documents = [inline(FERRY)];
    const reply = await tenant.call("POST", RUNS, {
      documents,
      steps: ["summarize", "store"],
      ...body,
    });
    expect(reply.body.kind).toBe(kind);
    expect((await tenant.call("GET", RUNS)).body.data).toEqual([]);
    // No step of this one asks that model.
    const plain = await tenant.call("POST", RUNS, { documents, steps: ["moderate"] });
    expect(plain.status).toBe(202);
  });

  it("is said where the deployment has no Workflow", async () => {
    const tenant = await aTenant();
    const reply = await ask("POST", RUNS, {
      key: tenant.key,
      body: { documents: [inline(FERRY)], steps: ["moderate"] },
      env: { PIPELINES: undefined },
    });
    expect(reply.body.kind).toBe("engine_unsupported");
  });
});
