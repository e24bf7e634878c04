import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { createRouter } from "../../src/http/router.ts";
import { BODY_LIMITS, BodyBudget } from "../../src/io/body-budget.ts";
import { createEmbeddings } from "../../src/routes/embeddings.ts";
import { runModelRoute } from "../../src/routes/workers-ai-run.ts";
import { makeTenant, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";

// Many texts in one call: their vectors are written as they are read, and hold memory until then.

const SMALL = "@cf/baai/bge-small-en-v1.5";
const PATH = "/v1/embeddings";

/** One vector of the model: 384 numbers of 8 bytes. */
const VECTOR_BYTES = 3072;

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant(`long-lists-${unique()}`, {
    daily_neurons: 9000,
    aliases: { embedder: SMALL },
  });
});

const texts = (count: number): string[] => Array.from({ length: count }, (_, at) => `text ${at}`);

const runPath = (): string => `/client/v4/accounts/${tenant.id}/ai/run/${SMALL}`;

const ran = async (text: readonly string[]) =>
  (await tenant.call("POST", runPath(), { text })).body;

/** A reply that is not read yet, in an isolate with so much memory for bodies. */
async function asked(path: string, body: unknown, totalBytes = BODY_LIMITS.totalBytes) {
  const bodies = new BodyBudget({ ...BODY_LIMITS, totalBytes, waitMs: 50 });
  const deps = { mayRead: async () => null, record: async () => true, bodies };
  const request = new Request(`https://gateway.test${path}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${tenant.key}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const ctx = createExecutionContext();
  const router = createRouter([createEmbeddings, runModelRoute], deps);
  const response = await router.fetch(request, env, ctx);
  return { response, bodies, ended: () => waitOnExecutionContext(ctx) };
}

describe("2,048 texts", () => {
  it("are embedded in order on one line, as OpenAI takes them", async () => {
    const { status, body } = await tenant.call("POST", PATH, { model: SMALL, input: texts(2048) });
    expect([status, body.data.length]).toEqual([200, 2048]);
    const indexes = body.data.map(({ index }: { index: number }) => index);
    expect(indexes).toEqual([...indexes.keys()]);
    const alone = await tenant.call("POST", PATH, { model: SMALL, input: "text 2047" });
    expect(body.data[2047].embedding).toEqual(alone.body.data[0].embedding);
    const { data } = (await tenant.call("GET", "/v1/ledger")).body;
    expect(data[1].items).toHaveLength(1);
    expect(data[1].micro_neurons).toBe(body.neurogate.micro_neurons);
  });
});

describe("the vectors of many texts", () => {
  it.each(["float", "base64"])("have the form of those of few: %s", async (encoding_format) => {
    const input = texts(205);
    const embed = async (some: readonly string[]) =>
      (await tenant.call("POST", PATH, { model: SMALL, input: some, encoding_format })).body;
    const [whole, ...parts] = await Promise.all([
      embed(input),
      embed(input.slice(0, 100)),
      embed(input.slice(100, 200)),
      embed(input.slice(200)),
    ]);
    const apart = parts.flatMap(({ data }) => data);
    expect(whole.data).toEqual(apart.map((item, index) => ({ ...item, index })));
    expect(Object.keys(whole)).toEqual(Object.keys(parts[0]));
    const tokens = parts.reduce((sum, { usage }) => sum + usage.total_tokens, 0);
    expect(whole.usage.total_tokens).toBe(tokens);
  });

  it("have the form of those of few under /ai/run", async () => {
    const text = texts(108);
    const [whole, first, rest] = await Promise.all([
      ran(text),
      ran(text.slice(0, 100)),
      ran(text.slice(100)),
    ]);
    expect(whole.result.shape).toEqual([108, 384]);
    expect(whole.result.data).toEqual([...first.result.data, ...rest.result.data]);
    expect(Object.keys(whole.result)).toEqual(Object.keys(first.result));
    expect(Object.keys(whole)).toEqual(Object.keys(first));
  });

  it.each<[string, () => [string, object]]>([
    ["/v1/embeddings", () => [PATH, { model: SMALL, input: texts(300) }]],
    ["/ai/run", () => [runPath(), { text: texts(300) }]],
  ])("hold memory until they were read, or their reader left: %s", async (_, made) => {
    for (const end of ["read", "left"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { response, bodies, ended } = await asked(...made());
      expect(response.status).toBe(200);
      expect(bodies.heldBytes).toBeGreaterThanOrEqual(300 * VECTOR_BYTES);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await (end === "read" ? response.json() : response.body?.cancel());
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await ended();
      expect(bodies.heldBytes).toBe(0);
    }
  });

  it.each<[string, () => [string, object]]>([
    ["/v1/embeddings", () => [PATH, { model: SMALL, input: texts(300) }]],
    ["/ai/run", () => [runPath(), { text: texts(300) }]],
  ])("are not made where memory has no room for them: %s", async (_, made) => {
    const { response, bodies, ended } = await asked(...made(), 300 * VECTOR_BYTES);
    await ended();
    expect([response.status, bodies.heldBytes]).toEqual([503, 0]);
    const few = await asked(PATH, { model: SMALL, input: texts(100) }, 300 * VECTOR_BYTES);
    expect(few.response.status).toBe(200);
    await few.response.json();
    await few.ended();
  });

  it("are counted as the longest where the model's name does not say how long they are", async () => {
    const { response, bodies, ended } = await asked(PATH, { model: "embedder", input: texts(150) });
    expect(response.status).toBe(200);
    expect(bodies.heldBytes).toBeGreaterThanOrEqual(150 * 2048 * 8);
    await response.json();
    await ended();
  });

  it("are not kept for a repeat of their idempotency key, which says so", async () => {
    const headers = { "Idempotency-Key": unique() };
    const embed = () => tenant.call("POST", PATH, { model: SMALL, input: texts(101) }, headers);
    expect((await embed()).body.data).toHaveLength(101);
    const again = await embed();
    expect([again.status, again.body.error.kind]).toEqual([409, "idempotency_replay_unavailable"]);
  });
});
