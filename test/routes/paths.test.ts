import { beforeAll, describe, expect, it } from "vitest";
import { ask, makeTenant, type TestTenant } from "../client.ts";
import { isOpenAiPath } from "../../src/http/nearby-paths.ts";
import { ROUTES } from "../../src/routes/routes.ts";
import { unique } from "./scripted.ts";

// Paths as clients make them of a base URL and a path, and paths that nobody has.

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant(`paths-${unique()}`);
});

const CHAT = "/v1/chat/completions";
const ACCOUNT_CHAT = "/client/v4/accounts/{account}/ai/v1/chat/completions";

describe("a path that is written another way", () => {
  it.each([
    ["//v1/chat/completions", CHAT],
    ["/v1//chat/completions", CHAT],
    ["/v1/chat/completions/", CHAT],
    ["/v1/v1/chat/completions", CHAT],
    ["/v1/v1/v1//chat/completions/", CHAT],
    ["/chat/completions", CHAT],
    ["/openai/v1/chat/completions", CHAT],
    ["/client/v4/client/v4/accounts/acme/ai/v1/chat/completions", ACCOUNT_CHAT],
    ["/V1/Chat/Completions", CHAT],
    ["/client/v4/accounts/acme/ai/v1/v1/chat/completions", ACCOUNT_CHAT],
    ["/accounts/acme/ai/v1/chat/completions", ACCOUNT_CHAT],
  ])("%s is told of the right one in OpenAI's shape", async (path, meant) => {
    const { status, body } = await tenant.call("POST", path, {});
    expect(status).toBe(404);
    expect(body).toMatchObject({
      error: {
        type: "invalid_request_error",
        code: "not_found",
        message: `There is no such path. Did you mean ${meant}?`,
        nearby: [meant],
      },
    });
  });

  it("names a template, never what was sent", async () => {
    const { body } = await tenant.call("GET", "/v1/verdicts/vrd_secret/");
    expect(body).toMatchObject({ kind: "not_found", nearby: ["/v1/verdicts/{id}"] });
    expect(JSON.stringify(body)).not.toContain("secret/?");
  });

  it.each(["ai//run/@cf/a/b", "ai/run//@cf/a/b", "ai/run/@cf//a/b", "ai/run/@cf/a/b/"])(
    "names the path of a model in Cloudflare's shape: %s",
    async (path) => {
      const account = `/client/v4/accounts/${tenant.id}`;
      const { status, body } = await tenant.call("POST", `${account}/${path}`, { prompt: "Hi." });
      expect(status).toBe(404);
      expect(body.errors[0]).toMatchObject({
        code: 7003,
        nearby: ["/client/v4/accounts/{account}/ai/run/{model}"],
      });
    },
  );
});

describe("a path that nobody has", () => {
  it.each([
    ["/v1/chat/completion", [CHAT]],
    ["/v1/embedding", ["/v1/embeddings"]],
    ["/v1/image/generations", ["/v1/images/generations"]],
    ["/v1/image/edits", ["/v1/images/edits"]],
    ["/v1/responses/compact", ["/v1/responses"]],
    ["/v1/responses/input_tokens", ["/v1/responses"]],
    ["/v1/messages", [CHAT, "/v1/responses"]],
    ["/v1/audio/voices", ["/v1/audio/speech"]],
    ["/v1/audio/voices/voice_1", ["/v1/audio/speech"]],
    ["/v1/conversations/conv_1", ["/v1/responses", "/v1/sessions"]],
    ["/v1/threads/thread_1/runs", ["/v1/responses", "/v1/sessions"]],
    ["/threads/thread_1/runs", ["/v1/responses", "/v1/sessions"]],
    ["/v1/conversations/", ["/v1/responses", "/v1/sessions"]],
    ["/v1/vector_stores/vs_1/files", ["/v1/documents", "/v1/documents/search"]],
    ["/v1/uploads/upload_1/parts", ["/v1/documents"]],
    ["/v1/realtime", ["/v1/audio/transcriptions", "/v1/audio/speech"]],
    ["/v1/realtime/client_secrets", ["/v1/audio/transcriptions", "/v1/audio/speech"]],
    ["/v1/responses/input_tokens/x", ["/v1/responses", "/v1/quote"]],
    ["/v1/organization/usage/completions", ["/v1/usage"]],
    ["/v1/messages/count_tokens", ["/v1/quote"]],
    ["/v1/messages/batches", [CHAT, "/v1/responses"]],
  ])("POST %s names %j first", async (path, first) => {
    const { status, body } = await tenant.call("POST", path, {});
    expect([status, body.error.code]).toEqual([404, "not_found"]);
    expect(body.error.nearby.slice(0, first.length)).toEqual(first);
    expect(body.error.nearby.length).toBeLessThanOrEqual(3);
  });

  it.each(["/v1/files", "/v1/zzz", "/v1"])("%s is told in OpenAI's shape", async (path) => {
    const { status, body } = await tenant.call("GET", path);
    expect([status, body.error.code]).toEqual([404, "not_found"]);
    expect(body.error.message).toMatch(/ \/v1\/documents|GET \/openapi\.json/);
  });

  it("below our own routes it is a problem, and below Cloudflare's an envelope", async () => {
    const own = await tenant.call("GET", "/v1/webhooks/whk_1/deliveriez");
    expect(own.body).toMatchObject({ kind: "not_found", status: 404 });
    expect(own.body.nearby).toContain("/v1/webhooks/{id}/deliveries");
    const cloudflare = await tenant.call("GET", "/client/v4/accounts/acme/ai/modelz");
    expect(cloudflare.body).toMatchObject({ success: false, errors: [{ code: 7003 }] });
  });

  it("that is very long names nothing", async () => {
    const { body } = await ask("GET", `/v1/chat/completions${"/x".repeat(1500)}`, {});
    expect(body.error.nearby).toBeUndefined();
  });
});

describe("every path of the service", () => {
  it("is none of those that OpenAI has and we have not", () => {
    expect(ROUTES.map(({ path }) => path).filter(isOpenAiPath)).toEqual([]);
  });
});

describe("an exact path", () => {
  it("is never what stands for a parameter", async () => {
    const claim = await tenant.call("GET", "/v1/verdicts/claim");
    expect([claim.status, claim.body.kind]).toEqual([405, "method_not_allowed"]);
    expect(claim.headers.get("allow")).toBe("POST");
    const pictures = await tenant.call("DELETE", "/v1/images/generations");
    expect([pictures.status, pictures.body.error.code]).toEqual([405, "method_not_allowed"]);
    expect(pictures.headers.get("allow")).toBe("POST");
    const edits = await tenant.call("GET", "/v1/images/edits");
    expect([edits.status, edits.body.error.code]).toEqual([405, "method_not_allowed"]);
    const engine = await tenant.call("GET", "/v1/engines");
    expect([engine.status, engine.body.error.code]).toEqual([404, "not_found"]);
  });
});
