import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { audioLength } from "../../src/audio/audio-length.ts";
import {
  HIGH_TONES,
  LOW_TONES,
  TONE_MS,
  TONE_RATE,
  tones,
} from "../../src/engines/embedded/placeholder-speech.ts";
import { ask, makeTenant, type Reply, type TestTenant, WORKERS_AI } from "../client.ts";

const MELOTTS = "@cf/myshell-ai/melotts";
const AURA = "@cf/deepgram/aura-1";
const AURA_2 = "@cf/deepgram/aura-2-en";
const path = "/v1/audio/speech";

const EMBEDDED = { INFERENCE: "embedded" };
const OPENAI = {
  INFERENCE: "openai",
  OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1`,
  OPENAI_MODELS: JSON.stringify({ [MELOTTS]: "kokoro", [AURA]: "tts" }),
};

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`say-${made}`, settings);
};

afterEach(() => reset());

type Engine = Readonly<Record<string, unknown>>;

const say = (tenant: TestTenant, body: object, engine: Engine = WORKERS_AI): Promise<Reply> =>
  ask("POST", path, {
    key: tenant.key,
    body: { model: MELOTTS, voice: "alloy", input: "Good morning", ...body },
    env: engine,
  });

const scripted = (behaviour: string): string => `[[fake:${behaviour}|${crypto.randomUUID()}]]`;

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

async function asked(match: string): Promise<Record<string, unknown>> {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  const requests: { readonly inputs: Record<string, unknown> }[] = await (await fetch(url)).json();
  return requests.at(-1)?.inputs ?? {};
}

describe("POST /v1/audio/speech with Workers AI", () => {
  it("of melotts costs the minutes that were spoken", async () => {
    const tenant = await aTenant();
    const reply = await say(tenant, {});
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toBe("audio/mpeg");
    // 12 bytes: held for 6 s, 1,863,000 of 18,630,000 uN a minute. 12 frames are 313.47 ms.
    expect(reply.headers.get("x-neurogate-micro-neurons")).toBe("97497");
    expect(await lines(tenant)).toMatchObject([
      {
        route: "POST /v1/audio/speech",
        held_micro_neurons: 1_863_000,
        micro_neurons: 97_497,
        items: [{ model: MELOTTS, basis: "counted", units: { audio_ms: 314 } }],
      },
    ]);
  });

  it.each([
    // 12 characters of 1,363,640 and of 2,727,270 uN.
    [AURA, "Good morning", 16_363_680],
    [AURA_2, "Good morning", 32_727_240],
    // Three characters, four UTF-16 units: no way of counting finds more.
    [AURA, "a𝄞b", 5_454_560],
  ])("of %s costs its characters: %j", async (model, input, amount) => {
    const tenant = await aTenant();
    expect((await say(tenant, { model, input })).status).toBe(200);
    const [line] = await lines(tenant);
    expect(line).toMatchObject({ held_micro_neurons: amount, micro_neurons: amount });
    expect(line.items[0].basis).toBe("counted");
  });

  it("is held for half a second a byte, whatever the letters", async () => {
    const tenant = await aTenant();
    await say(tenant, { input: "дом" });
    expect((await lines(tenant))[0].held_micro_neurons).toBe((6 * 500 * 18_630_000) / 60_000);
  });

  it("comes as base64 or as bytes", async () => {
    const tenant = await aTenant();
    const input = scripted("base64");
    const reply = await say(tenant, { input });
    expect(reply.headers.get("content-type")).toBe("audio/mpeg");
    const bytes = new TextEncoder().encode(input).length;
    const [line] = await lines(tenant);
    expect(line.items[0].units).toEqual({ audio_ms: Math.ceil((bytes * 1152) / 44.1) });
  });

  it("charges no more than was held for speech that does not end", async () => {
    const tenant = await aTenant();
    expect((await say(tenant, { input: scripted("endless") })).status).toBe(200);
    const [line] = await lines(tenant);
    expect(line.micro_neurons).toBe(line.held_micro_neurons);
    expect(line.overrun_micro_neurons).toBeGreaterThan(0);
  });

  it("tells the model what was asked, each in its own words", async () => {
    const tenant = await aTenant();
    const told = async (body: object) => {
      const input = scripted("ok");
      expect((await say(tenant, { ...body, input })).status).toBe(200);
      const { text, prompt, ...others } = await asked(input);
      expect(text ?? prompt).toBe(input);
      return others;
    };
    expect(await told({})).toEqual({ lang: "en" });
    expect(await told({ voice: "FR", response_format: "mp3" })).toEqual({ lang: "fr" });
    expect(await told({ model: AURA })).toEqual({ encoding: "mp3" });
    expect(await told({ model: AURA, voice: "Luna" })).toEqual({
      encoding: "mp3",
      speaker: "luna",
    });
    expect(await told({ model: AURA, voice: { id: "orion" }, speed: 1 })).toMatchObject({
      speaker: "orion",
    });
    expect(await told({ model: AURA, response_format: "opus" })).toEqual({
      encoding: "opus",
      container: "ogg",
    });
    expect(await told({ model: AURA, response_format: "pcm" })).toEqual({
      encoding: "linear16",
      container: "none",
      sample_rate: 24_000,
    });
  });

  it.each([
    [{ voice: "nobody" }, "voice"],
    [{ model: AURA, voice: "amalthea" }, "voice"],
    [{ response_format: "flac" }, "response_format"],
    [{ speed: 2 }, "speed"],
    [{ model: AURA, instructions: "Whisper." }, "instructions"],
  ])("cannot honour %j, and says so for nothing", async (body, parameter) => {
    const tenant = await aTenant();
    const reply = await say(tenant, body);
    expect(reply.status).toBe(400);
    expect(reply.body.error).toMatchObject({ kind: "unsupported_parameter", param: parameter });
    expect(await lines(tenant)).toMatchObject([{ outcome: "voided", micro_neurons: 0 }]);
  });

  it.each([
    ["3040", 503, "engine_busy", "voided"],
    ["500", 502, "engine_failed", "posted"],
    ["drop_body", 502, "engine_failed", "posted"],
    ["not_base64", 502, "engine_failed", "posted"],
    ["not_sound", 502, "engine_failed", "posted"],
    ["no_sound", 502, "engine_failed", "posted"],
  ])("tells of %s, and charges what may have run", async (behaviour, status, kind, outcome) => {
    const tenant = await aTenant();
    const reply = await say(tenant, { input: scripted(behaviour) });
    expect(reply.status).toBe(status);
    expect(reply.body.error.kind).toBe(kind);
    const [line] = await lines(tenant);
    expect(line.outcome).toBe(outcome);
    expect(line.micro_neurons).toBe(outcome === "voided" ? 0 : line.held_micro_neurons);
  });

  it("falls back to a model that is priced by another unit", async () => {
    const tenant = await aTenant({ fallbacks: { [MELOTTS]: [AURA] } });
    const input = scripted("3040,3040,ok");
    expect((await say(tenant, { input })).status).toBe(200);
    const [line] = await lines(tenant);
    const [item] = line.items;
    expect(item).toMatchObject({ priced_as: AURA, units: { input_character: input.length } });
    expect(line.micro_neurons).toBe(input.length * 1_363_640);
  });

  it.each([
    [{ input: "" }, 400, "input"],
    [{ input: "x".repeat(4097) }, 400, "input"],
    [{ input: 7 }, 400, "input"],
    [{ voice: undefined }, 400, "voice"],
    [{ response_format: "mid" }, 400, "response_format"],
    [{ speed: 5 }, 400, "speed"],
    [{ stream_format: "sse" }, 400, "stream_format"],
    [{ model: "@cf/openai/whisper" }, 400, "model"],
    [{ model: "tts-1" }, 404, "model"],
  ])("refuses %j, naming the field", async (body, status, param) => {
    const tenant = await aTenant();
    const reply = await say(tenant, body);
    expect(reply.status).toBe(status);
    expect(reply.body.error.param).toMatch(new RegExp(`^${param}`));
    expect(await lines(tenant)).toEqual([]);
  });

  it("is kept for a repeated idempotency key, bytes and type, up to 64 KB", async () => {
    const tenant = await aTenant();
    const send = (input: string, name: string) =>
      ask("POST", path, {
        key: tenant.key,
        body: { model: MELOTTS, voice: "alloy", input },
        headers: { "Idempotency-Key": name },
        env: WORKERS_AI,
      });
    const first = await send("Good morning", "s1");
    const again = await send("Good morning", "s1");
    expect(again.body).toBe(first.body);
    expect(again.headers.get("content-type")).toBe("audio/mpeg");
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const long = "x".repeat(400);
    expect((await send(long, "s2")).status).toBe(200);
    expect((await send(long, "s2")).body.error.kind).toBe("idempotency_replay_unavailable");
    expect(await lines(tenant)).toHaveLength(2);
  });
});

/** The byte of each 40 ms, by the strongest tone of either half (Goertzel's algorithm). */
function heardText(wav: Uint8Array): string {
  const samples = wav.subarray(44);
  const length = (TONE_RATE * TONE_MS) / 1000;
  const strength = (from: number, hertz: number): number => {
    const turn = 2 * Math.cos((2 * Math.PI * hertz) / TONE_RATE);
    let [last, before] = [0, 0];
    for (let at = from; at < from + length; at += 1) {
      [last, before] = [(samples[at] ?? 128) - 128 + turn * last - before, last];
    }
    return last * last + before * before - turn * last * before;
  };
  const strongest = (from: number, frequencies: readonly number[]): number =>
    frequencies
      .map((hertz) => strength(from, hertz))
      .reduce((best, value, at, all) => (value > (all[best] ?? 0) ? at : best), 0);
  const bytes = Array.from({ length: samples.length / length }, (_, at) => {
    const from = at * length;
    return strongest(from, LOW_TONES) * 16 + strongest(from, HIGH_TONES);
  });
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

describe("tones", () => {
  it("can be read again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), (text) => {
        const wav = tones(text);
        expect(heardText(wav)).toBe(new TextDecoder().decode(new TextEncoder().encode(text)));
        const ms = new TextEncoder().encode(text).length * TONE_MS;
        expect(audioLength(wav)).toEqual({ atMostMs: ms, countedMs: ms });
      }),
      { numRuns: 40 },
    );
  });

  it("end after a minute", () => {
    expect(audioLength(tones("x".repeat(4096)))?.countedMs).toBe(60_000);
    expect(tones("x".repeat(4096)).length).toBe(480_044);
  });
});

describe("POST /v1/audio/speech with the embedded engine", () => {
  it("makes tones that say what they are, at the price of their minutes", async () => {
    const tenant = await aTenant();
    const reply = await say(tenant, { input: "Hi" }, EMBEDDED);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toBe("audio/wav");
    const [line] = await lines(tenant);
    // 80 ms of 18,630,000 uN a minute.
    expect(line).toMatchObject({
      micro_neurons: 24_840,
      items: [{ model: "neurogate/tones@1", priced_as: MELOTTS, units: { audio_ms: 80 } }],
    });
  });

  it.each([
    [{ response_format: "wav" }, 200],
    [{ response_format: "mp3" }, 400],
    [{ speed: 2 }, 400],
    [{ instructions: "Whisper." }, 400],
  ])("given %j answers %d", async (body, status) => {
    expect((await say(await aTenant(), body, EMBEDDED)).status).toBe(status);
  });
});

describe("POST /v1/audio/speech with an OpenAI-compatible server", () => {
  it("asks the model that stands in, with all that was asked", async () => {
    const tenant = await aTenant();
    const input = scripted("ok");
    const body = { input, voice: "bella", speed: 1.5, instructions: "Slowly." };
    const reply = await say(tenant, body, OPENAI);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toBe("audio/mpeg");
    expect(await asked(input)).toEqual({ ...body, model: "kokoro", response_format: "mp3" });
    const [line] = await lines(tenant);
    expect(line.items[0]).toMatchObject({ model: "kokoro", basis: "counted", priced_as: MELOTTS });
  });

  it("counts samples that have no header", async () => {
    const tenant = await aTenant();
    const reply = await say(tenant, { response_format: "pcm" }, OPENAI);
    expect(reply.headers.get("content-type")).toBe("audio/pcm;rate=24000;channels=1");
    // 12 frames of the fake's are 5,004 bytes: at 48,000 a second 104.25 ms, so 105 of 310.5 uN.
    expect((await lines(tenant))[0]).toMatchObject({ micro_neurons: 32_603 });
  });

  it("estimates what only a decoder could count, below what was held", async () => {
    const tenant = await aTenant();
    const input = scripted("compressed");
    expect((await say(tenant, { input }, OPENAI)).status).toBe(200);
    const [line] = await lines(tenant);
    // 100 ms a byte of the text, of the 500 that were held.
    const ms = new TextEncoder().encode(input).length * 100;
    expect(line.items[0]).toMatchObject({ basis: "estimated", units: { audio_ms: ms } });
    expect(line.micro_neurons * 5).toBe(line.held_micro_neurons);
  });

  it.each([
    ["429", 503, "voided"],
    ["500", 502, "posted"],
    ["not_sound", 502, "posted"],
    ["drop_body", 502, "posted"],
  ])("tells of %s", async (behaviour, status, outcome) => {
    const tenant = await aTenant();
    expect((await say(tenant, { input: scripted(behaviour) }, OPENAI)).status).toBe(status);
    expect(await lines(tenant)).toMatchObject([{ outcome }]);
  });
});

describe("what speech would cost", () => {
  it("is quoted as it is held", async () => {
    const tenant = await aTenant();
    const body = { model: AURA, voice: "luna", input: "Good morning" };
    const quote = await tenant.call("POST", "/v1/quote", { path, body });
    expect(quote.body).toMatchObject({ max_micro_neurons: 16_363_680, fits_today: true });
  });
});
