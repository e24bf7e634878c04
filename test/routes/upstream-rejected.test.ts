import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { ask, failureIn, makeTenant, type Reply, type TestTenant, WORKERS_AI } from "../client.ts";

// A request that the engine itself does not take: the caller is told, and nobody repeats it.

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const SERVER = {
  INFERENCE: "openai",
  OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1`,
  OPENAI_MODELS: JSON.stringify({ [LLAMA]: "llama" }),
};
const ENGINES = [
  ["workers-ai", WORKERS_AI],
  ["openai", SERVER],
] as const;

let made = 0;
const aTenant = (): Promise<TestTenant> => makeTenant(`rejected-${(made += 1)}`);

afterEach(() => reset());

async function chat(
  engine: Record<string, string>,
  behaviour: string,
  stream = false,
): Promise<{ tenant: TestTenant; reply: Reply }> {
  const tenant = await aTenant();
  const content = `Hello [[fake:${behaviour}|${crypto.randomUUID()}]]`;
  const body = { model: LLAMA, messages: [{ role: "user", content }], max_tokens: 10, stream };
  const reply = await ask("POST", "/v1/chat/completions", { key: tenant.key, body, env: engine });
  return { tenant, reply };
}

const lineOf = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data[0];

describe.each(ENGINES)("a request that the engine %s does not take", (_name, engine) => {
  it.each([400, 413, 422])("keeps its status: %d", async (status) => {
    const { tenant, reply } = await chat(engine, String(status));
    expect([reply.status, failureIn(reply.body).kind]).toEqual([status, "upstream_rejected"]);
    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(failureIn(reply.body)).toMatchObject({
      type: "invalid_request_error",
      upstream: { status },
    });
    expect(await lineOf(tenant)).toMatchObject({ outcome: "voided", micro_neurons: 0 });
  });

  it("is told before a stream begins, too", async () => {
    const { reply } = await chat(engine, "400", true);
    expect([reply.status, failureIn(reply.body).kind]).toEqual([400, "upstream_rejected"]);
  });

  it.each([401, 403, 404, 409, 415, 451])(
    "is none where it is not the request, and is refused again: %d",
    async (status) => {
      const { tenant, reply } = await chat(engine, String(status));
      expect([reply.status, failureIn(reply.body).kind]).toEqual([502, "engine_failed"]);
      expect(reply.headers.get("x-should-retry")).toBe("false");
      const { message, upstream } = failureIn(reply.body);
      const refused = "The engine refused the call, and would refuse a repeat.";
      expect([message, upstream]).toEqual([`${refused} Nothing was charged.`, undefined]);
      expect((await lineOf(tenant)).micro_neurons).toBe(0);
    },
  );

  it("is none where the engine failed", async () => {
    const { reply } = await chat(engine, "500");
    expect([reply.status, failureIn(reply.body).kind]).toEqual([502, "engine_failed"]);
    expect(failureIn(reply.body).message).toContain("The engine failed.");
  });

  it("may be repeated where the engine is busy", async () => {
    const { reply } = await chat(engine, "429");
    expect([reply.status, failureIn(reply.body).kind]).toEqual([503, "engine_busy"]);
    expect(reply.headers.get("x-should-retry")).toBeNull();
  });
});

describe("an error of an OpenAI-compatible server", () => {
  it.each([false, true])(
    "counts where it comes with a good status; streamed: %s",
    async (stream) => {
      const { tenant, reply } = await chat(SERVER, "in_body:400", stream);
      expect([reply.status, failureIn(reply.body).kind]).toEqual([400, "upstream_rejected"]);
      expect(failureIn(reply.body).upstream).toMatchObject({ message: "Scripted in the body" });
      expect((await lineOf(tenant)).micro_neurons).toBe(0);
      const busy = await chat(SERVER, "in_body:429", stream);
      expect([busy.reply.status, failureIn(busy.reply.body).kind]).toEqual([503, "engine_busy"]);
      const failed = await chat(SERVER, "in_body:500", stream);
      expect([failed.reply.status, failureIn(failed.reply.body).kind]).toEqual([
        502,
        "engine_failed",
      ]);
      expect((await lineOf(failed.tenant)).micro_neurons).toBeGreaterThan(0);
    },
  );

  it.each([
    ["named:403:content_filter", false, "content_filter"],
    ["named:403:content_filter", true, "content_filter"],
    ["named:451:content_policy_violation", false, "content_policy_violation"],
    ["in_body:context_length_exceeded", false, "context_length_exceeded"],
    ["in_body:context_length_exceeded", true, "context_length_exceeded"],
  ])("is about the request where its code says so: %s, streamed: %s", async (how, stream, code) => {
    const { tenant, reply } = await chat(SERVER, how, stream);
    expect([reply.status, failureIn(reply.body).kind]).toEqual([400, "upstream_rejected"]);
    expect(failureIn(reply.body)).toMatchObject({ code, upstream: { status: 400, code } });
    expect(failureIn(reply.body).message).toContain("Scripted");
    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect((await lineOf(tenant)).micro_neurons).toBe(0);
  });

  it.each([
    ["in_body:invalid_api_key", 502, "engine_failed", false],
    ["named:401:content_filter", 502, "engine_failed", false],
    ["in_body:rate_limit_exceeded", 503, "engine_busy", false],
    ["in_body:server_error", 502, "engine_failed", true],
  ])("is none where its code says another thing: %s", async (how, status, kind, charged) => {
    const { tenant, reply } = await chat(SERVER, how);
    expect([reply.status, failureIn(reply.body).kind]).toEqual([status, kind]);
    expect(JSON.stringify(reply.body)).not.toContain("Scripted");
    expect((await lineOf(tenant)).micro_neurons > 0).toBe(charged);
  });

  it("may be a plain text", async () => {
    const { reply } = await chat(SERVER, "plain:400");
    expect(failureIn(reply.body).message).toContain("The prompt is too long");
  });
});

describe("what Workers AI says of a request", () => {
  it.each([
    ["3006", 413, 3006],
    ["5004", 400, 5004],
    ["errors:3003", 400, 3003],
    ["errors:5006", 400, 5006],
    ["errors:5021", 413, 5021],
  ])("is passed on with its code: %s", async (behaviour, status, code) => {
    const { tenant, reply } = await chat(WORKERS_AI, behaviour);
    expect(reply.status).toBe(status);
    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect((await lineOf(tenant)).micro_neurons).toBe(0);
    const message = `Scripted error ${code}`;
    expect(failureIn(reply.body).upstream).toEqual({ status, code, message });
    expect(failureIn(reply.body).message).toContain(message);
  });

  it("is a context that is too long, in OpenAI's word for it", async () => {
    const { reply } = await chat(WORKERS_AI, "errors:5021");
    expect(failureIn(reply.body).code).toBe("context_length_exceeded");
  });

  it.each([
    ["json_mode", 5024],
    ["errors:3030", 3030],
  ])("is charged where the model may have run: %s", async (behaviour, code) => {
    const { tenant, reply } = await chat(WORKERS_AI, behaviour);
    expect([reply.status, failureIn(reply.body).upstream.code]).toEqual([400, code]);
    expect(failureIn(reply.body).message).toContain("were charged");
    expect((await lineOf(tenant)).micro_neurons).toBeGreaterThan(0);
  });

  it("is a failure where a model is not there, or the account's day is gone", async () => {
    expect((await chat(WORKERS_AI, "5007")).reply.status).toBe(502);
    expect(failureIn((await chat(WORKERS_AI, "3036")).reply.body).kind).toBe(
      "account_quota_exceeded",
    );
  });

  it("comes in Cloudflare's envelope on its own surface", async () => {
    const tenant = await aTenant();
    const path = `/client/v4/accounts/${tenant.id}/ai/run/${LLAMA}`;
    const prompt = `[[fake:3006|${crypto.randomUUID()}]]`;
    const reply = await tenant.onWorkersAi("POST", path, { prompt, max_tokens: 5 });
    expect([reply.status, reply.body.errors[0].code, reply.body.success]).toEqual([
      413,
      3003,
      false,
    ]);
    expect(reply.body.errors[0].upstream.code).toBe(3006);
  });
});
