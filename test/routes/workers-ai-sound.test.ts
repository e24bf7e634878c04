import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import worker from "../../src/index.ts";
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { makeTenant, type TestTenant, WORKERS_AI } from "../client.ts";
import { wav } from "../audio/recordings.ts";

// Speech in and out on Workers AI's own surface.

const WHISPER = "@cf/openai/whisper"; // 41,140,000 uN a minute
const LARGE = "@cf/openai/whisper-large-v3-turbo"; // 46,630,000 uN a minute
const NOVA = "@cf/deepgram/nova-3"; // 472,730,000 uN a minute
const MELOTTS = "@cf/myshell-ai/melotts";
const AURA = "@cf/deepgram/aura-1";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`run-sound-${made}`, settings);
};

afterEach(() => reset());

const pathOf = ({ id }: TestTenant, model: string): string =>
  `/client/v4/accounts/${id}/ai/run/${model}`;

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

/** A second of it: 8,000 samples of two bytes. */
const RECORDING = wav({ rate: 8000, ms: 1000 });

describe("speech to text", () => {
  it.each([
    ["bytes", "audio/wav", () => RECORDING],
    ["an array of bytes", "application/json", () => ({ audio: [...RECORDING] })],
    ["base64", "application/json", () => ({ audio: RECORDING.toBase64() })],
  ])("hears %s", async (_, type, body) => {
    const tenant = await aTenant();
    const headers = { "Content-Type": type };
    const reply = await tenant.onWorkersAi("POST", pathOf(tenant, WHISPER), body(), headers);
    expect(reply.status).toBe(200);
    expect(reply.body.result.text).toBe("Good morning. How are you?");
    expect(reply.body.result.word_count).toBe(reply.body.result.words.length);
    expect(reply.body.result.words[0]).toMatchObject({ word: expect.any(String), start: 0 });
    expect(reply.body.result.vtt).toMatch(/^WEBVTT\n\n00:00/);
    // A second at 41,140,000 uN a minute, rounded up.
    expect(reply.body.neurogate).toMatchObject({
      micro_neurons: Math.ceil(41_140_000 / 60),
      basis: "counted",
    });
  });

  it("answers in the shape of the model that was asked", async () => {
    const tenant = await aTenant();
    const body = { audio: RECORDING.toBase64(), language: "en" };
    const large = await tenant.onWorkersAi("POST", pathOf(tenant, LARGE), body);
    expect(large.body.result).toMatchObject({
      text: "Good morning. How are you?",
      transcription_info: { language: "en", duration: 1 },
      segments: [{ start: expect.any(Number), avg_logprob: -0.25 }, {}],
      word_count: 5,
    });
    const nova = await tenant.onWorkersAi("POST", pathOf(tenant, NOVA), RECORDING, {
      "Content-Type": "application/octet-stream",
    });
    const [channel] = nova.body.result.results.channels;
    expect(channel.alternatives[0].transcript).toBe("Good morning. How are you?");
  });

  it("takes options whose values are what is done anyway", async () => {
    const tenant = await aTenant();
    const audio = [...RECORDING];
    const usual = { vad_filter: false, beam_size: 5, condition_on_previous_text: true };
    const large = await tenant.onWorkersAi("POST", pathOf(tenant, LARGE), { audio, ...usual });
    expect(large.status).toBe(200);
    const plain = { punctuate: true, smart_format: true, diarize: false, keyterm: null };
    const nova = await tenant.onWorkersAi("POST", pathOf(tenant, NOVA), { audio, ...plain });
    expect(nova.status).toBe(200);
  });

  it("is what the embedded engine cannot do", async () => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", pathOf(tenant, WHISPER), { audio: [...RECORDING] });
    expect([reply.status, reply.body.errors[0].code]).toEqual([501, 5007]);
  });

  it.each([
    [WHISPER, {}, "/audio", "invalid_request"],
    [WHISPER, { audio: "?" }, "/audio", "invalid_request"],
    [WHISPER, { audio: [1, 2, 999] }, "/audio", "invalid_request"],
    [WHISPER, { audio: [1, 2, 3] }, undefined, "unbounded_usage"],
    [WHISPER, { audio: [...RECORDING], task: "translate" }, "/task", "unsupported_parameter"],
    [LARGE, { audio: [...RECORDING], vad_filter: true }, "/vad_filter", "unsupported_parameter"],
    [LARGE, { audio: [...RECORDING], beam_size: 1 }, "/beam_size", "unsupported_parameter"],
    [NOVA, { audio: [...RECORDING], diarize: true }, "/diarize", "unsupported_parameter"],
    [NOVA, { audio: [...RECORDING], keyterm: "Kyiv" }, "/keyterm", "unsupported_parameter"],
    [LARGE, { audio: [...RECORDING], language: "English!" }, "/language", "invalid_request"],
    [WHISPER, { audio: [...RECORDING], language: "en" }, "/language", "unsupported_parameter"],
  ])("%s refuses a wrong request", async (model, body, pointer, kind) => {
    const tenant = await aTenant();
    const reply = await tenant.onWorkersAi("POST", pathOf(tenant, model), body);
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0]).toMatchObject({ code: 3003, kind });
    expect(reply.body.errors[0].source?.pointer).toBe(pointer);
  });
});

describe("text to speech", () => {
  it("is in the envelope by a model that answers so", async () => {
    const tenant = await aTenant();
    const body = { prompt: "Good morning", lang: "en" };
    const reply = await tenant.onWorkersAi("POST", pathOf(tenant, MELOTTS), body);
    expect(reply.status).toBe(200);
    expect(Uint8Array.fromBase64(reply.body.result.audio).byteLength).toBeGreaterThan(100);
    const [line] = await lines(tenant);
    expect(reply.body.neurogate.micro_neurons).toBe(line.micro_neurons);
    expect(line.micro_neurons).toBeLessThan(line.held_micro_neurons);
  });

  it("is the sound itself by the others, counted by the character", async () => {
    const tenant = await aTenant();
    const request = new Request(`https://gateway.test${pathOf(tenant, AURA)}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${tenant.key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ text: "Good morning", speaker: "luna" }),
    });
    const ctx = createExecutionContext();
    const response = await worker.fetch(
      request as Parameters<typeof worker.fetch>[0],
      { ...env, ...WORKERS_AI },
      ctx,
    );
    expect(response.headers.get("content-type")).toBe("audio/mpeg");
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100);
    await waitOnExecutionContext(ctx);
    const [line] = await lines(tenant);
    expect(line.items).toMatchObject([{ units: { input_character: 12 }, basis: "counted" }]);
    expect(response.headers.get("x-neurogate-micro-neurons")).toBe(String(line.micro_neurons));
  });

  it.each([
    [MELOTTS, {}, "/prompt", "invalid_request"],
    [MELOTTS, { prompt: "" }, "/prompt", "invalid_request"],
    [MELOTTS, { prompt: "a".repeat(5000) }, "/prompt", "invalid_request"],
    [AURA, { prompt: "a" }, "/text", "invalid_request"],
    [AURA, { text: "a", encoding: "midi" }, "/encoding", "invalid_request"],
    [AURA, { text: "a", encoding: "mulaw" }, "/encoding", "unsupported_parameter"],
    [AURA, { text: "a", sample_rate: 8000 }, "/sample_rate", "unsupported_parameter"],
  ])("%s refuses %j", async (model, body, pointer, kind) => {
    const tenant = await aTenant();
    const reply = await tenant.onWorkersAi("POST", pathOf(tenant, model), body);
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0]).toMatchObject({ code: 3003, kind, source: { pointer } });
    expect(await lines(tenant)).toEqual([]);
  });
});
