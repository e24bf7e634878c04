import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { ask, makeTenant, type Reply, type TestTenant, WORKERS_AI } from "../client.ts";
import { type Bytes, mp3, mp4, opus, wav, webm } from "../audio/recordings.ts";

const WHISPER = "@cf/openai/whisper";
const LARGE = "@cf/openai/whisper-large-v3-turbo";
const NOVA = "@cf/deepgram/nova-3";
const path = "/v1/audio/transcriptions";

const OPENAI = {
  INFERENCE: "openai",
  OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1`,
  OPENAI_MODELS: JSON.stringify({ [WHISPER]: "whisper-1" }),
};

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`hear-${made}`, settings);
};

afterEach(() => reset());

/** A second of WAV whose samples carry a marker for the fake. */
function scripted(behaviour: string, ms = 1000): Bytes {
  const bytes = wav({ ms });
  bytes.set(new TextEncoder().encode(`[[fake:${behaviour}|${crypto.randomUUID()}]]`), 60);
  return bytes;
}

const latin1 = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

interface Sent {
  readonly file?: Bytes | string | null;
  readonly fields?: Fields;
  readonly engine?: Readonly<Record<string, unknown>>;
  readonly headers?: Record<string, string>;
}

async function transcribe(tenant: TestTenant, sent: Sent = {}): Promise<Reply> {
  const form = new FormData();
  for (const [name, value] of Object.entries({ model: WHISPER, ...sent.fields })) {
    for (const one of value === undefined ? [] : [value].flat()) form.append(name, one);
  }
  const file = sent.file === undefined ? wav() : sent.file;
  if (typeof file === "string") form.append("file", file);
  else if (file !== null)
    form.append("file", new File([file], "talk.bin", { type: "application/x-unknown" }));
  const response = new Response(form);
  return ask("POST", path, {
    key: tenant.key,
    body: new Uint8Array(await response.arrayBuffer()),
    headers: { "Content-Type": response.headers.get("content-type") ?? "", ...sent.headers },
    env: sent.engine ?? WORKERS_AI,
  });
}

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

interface Recorded {
  readonly model: string;
  readonly bytes: number;
  readonly inputs: Record<string, unknown>;
  readonly headers: Record<string, string>;
}

async function recorded(match: string): Promise<Recorded[]> {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  return (await fetch(url)).json();
}

describe("POST /v1/audio/transcriptions with Workers AI", () => {
  it("gives what was heard, charged for what can be heard", async () => {
    const tenant = await aTenant();
    const reply = await transcribe(tenant);
    expect(reply.status).toBe(200);
    // A second of 41,140,000 uN a minute: 685,666.67, rounded up; held with 50 ms more.
    expect(reply.body).toMatchObject({
      text: "Good morning. How are you?",
      usage: { type: "duration", seconds: 1 },
      neurogate: { micro_neurons: 685_667, basis: "counted", engine: "workers-ai", model: WHISPER },
    });
    expect(reply.headers.get("x-neurogate-micro-neurons")).toBe("685667");
    expect(await lines(tenant)).toMatchObject([
      {
        outcome: "posted",
        route: "POST /v1/audio/transcriptions",
        held_micro_neurons: 719_950,
        micro_neurons: 685_667,
        overrun_micro_neurons: 0,
        items: [{ stage: "generate", model: WHISPER, units: { audio_ms: 1000 } }],
      },
    ]);
  });

  it.each([
    // 1,000 ms of 46,630,000 and of 472,730,000 uN a minute.
    [LARGE, 777_167],
    [NOVA, 7_878_834],
  ])("of %s is in its own shape and at its own price", async (model, amount) => {
    const reply = await transcribe(await aTenant(), { fields: { model } });
    expect(reply.body).toMatchObject({
      text: "Good morning. How are you?",
      neurogate: { micro_neurons: amount, basis: "counted", priced_as: model },
    });
  });

  it.each([
    ["mp3", mp3(), 993],
    ["m4a", mp4(), 1024],
    ["ogg", opus(), 1000],
    ["webm", webm(), 1000],
  ])("of %s is as long as its frames", async (_, file, ms) => {
    const tenant = await aTenant();
    const reply = await transcribe(tenant, { file });
    expect(reply.status).toBe(200);
    const [line] = await lines(tenant);
    expect(line.items[0].units).toEqual({ audio_ms: ms });
    expect(line.micro_neurons).toBe(Math.ceil((ms * 41_140_000) / 60_000));
  });

  it("believes the engine where it says how much it has heard", async () => {
    const tenant = await aTenant();
    const file = scripted("measured:0.5");
    const reply = await transcribe(tenant, { file, fields: { model: LARGE } });
    // 500 ms of 46,630,000 uN a minute: 388,583.3.
    expect(reply.body.neurogate).toMatchObject({ micro_neurons: 388_584, basis: "measured" });
  });

  it("charges no more than was held, and says what was beyond it", async () => {
    const tenant = await aTenant();
    const file = scripted("measured:2");
    await transcribe(tenant, { file, fields: { model: LARGE } });
    // 1,050 ms were held: 816,025; 2,000 ms are 1,554,333.3.
    const [line] = await lines(tenant);
    expect(line).toMatchObject({ micro_neurons: 816_025, overrun_micro_neurons: 738_309 });
  });

  it("charges what was held where decoders may disagree", async () => {
    const tenant = await aTenant();
    const reply = await transcribe(tenant, { file: wav({ ms: 4000, dataSize: 100 }) });
    // 4,050 ms.
    expect(reply.body.neurogate).toMatchObject({ micro_neurons: 2_776_950, basis: "held" });
    expect(reply.body.usage.seconds).toBe(4);
  });

  it("sends the sound as it is, under its own type, with what the model can be told", async () => {
    const file = scripted("ok");
    const fields = { model: LARGE, language: "German", prompt: "Namen: Zyx", temperature: "0" };
    await transcribe(await aTenant(), { file, fields });
    const marker = /\|([\w-]+)\]/.exec(latin1(file))?.[1] ?? "";
    const [request] = await recorded(marker);
    expect(request).toMatchObject({
      model: LARGE,
      bytes: file.length,
      inputs: { language: "de", initial_prompt: "Namen: Zyx" },
    });
    expect(request?.headers["content-type"]).toBe("audio/wav");
  });

  it("is text, subtitles or all there is, as it was asked for", async () => {
    const tenant = await aTenant();
    const as = async (response_format: string, fields: Fields = {}, file = wav()) =>
      transcribe(tenant, { file, fields: { response_format, ...fields } });
    const text = await as("text");
    expect(text.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(text.body).toBe("Good morning. How are you?\n");
    expect((await as("srt", { model: LARGE })).body).toBe(
      "1\n00:00:00,000 --> 00:00:00,500\nGood morning.\n\n" +
        "2\n00:00:00,500 --> 00:00:01,000\nHow are you?\n",
    );
    // Without segments: its words, in lines.
    expect((await as("vtt")).body).toBe(
      "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nGood morning. How are you?\n",
    );
    // Without words: all of it.
    expect((await as("vtt", {}, scripted("plain", 2000))).body).toBe(
      "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nGood morning. How are you?\n",
    );
    expect((await as("vtt", {}, scripted("silent"))).body).toContain("WEBVTT");
    const verbose = await as("verbose_json", { model: LARGE });
    expect(verbose.body).toMatchObject({
      task: "transcribe",
      language: "en",
      duration: 1,
      segments: [
        { id: 0, start: 0, end: 0.5, text: "Good morning.", avg_logprob: -0.25, tokens: [] },
        { id: 1, start: 0.5, end: 1, text: "How are you?", seek: 50 },
      ],
    });
    expect(verbose.body.words).toBeUndefined();
    const words = await as("verbose_json", { "timestamp_granularities[]": ["word"] });
    const plain = await as("verbose_json", { timestamp_granularities: ["word"] });
    expect(plain.body.words).toEqual(words.body.words);
    expect(plain.body.segments).toBeUndefined();
    expect(words.body.words[1]).toEqual({ word: "morning.", start: 0.2, end: 0.5 });
    expect(words.body.segments).toBeUndefined();
  });

  it("is kept for a repeated idempotency key, whatever the boundary", async () => {
    const tenant = await aTenant();
    const headers = { "Idempotency-Key": "t1" };
    const file = scripted("ok");
    const first = await transcribe(tenant, { file, headers });
    const again = await transcribe(tenant, { file, headers });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await transcribe(tenant, { file: wav(), headers })).status).toBe(422);
    expect(await lines(tenant)).toHaveLength(1);
  });

  it("comes as events, under the same hold and line, and again for a repeat", async () => {
    const tenant = await aTenant();
    const headers = { "Idempotency-Key": "t2" };
    const sent = { file: scripted("ok"), fields: { model: LARGE, stream: "true" }, headers };
    const reply = await transcribe(tenant, sent);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(reply.headers.get("x-neurogate-micro-neurons")).toBe("777167");
    const events = String(reply.body).trimEnd().split("\n\n");
    expect(events.pop()).toBe("data: [DONE]");
    expect(events.map((event) => JSON.parse(event.slice("data: ".length)))).toMatchObject([
      { type: "transcript.text.delta", delta: "Good morning." },
      { type: "transcript.text.delta", delta: " How are you?" },
      {
        type: "transcript.text.done",
        text: "Good morning. How are you?",
        usage: { type: "duration", seconds: 1 },
        neurogate: { micro_neurons: 777_167, priced_as: LARGE },
      },
    ]);
    const again = await transcribe(tenant, sent);
    expect(again.body).toBe(reply.body);
    expect(again.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await lines(tenant)).toMatchObject([{ outcome: "posted", micro_neurons: 777_167 }]);
  });

  it("is no stream where it fails, or where none is wanted", async () => {
    const tenant = await aTenant();
    const busy = { file: scripted("3040"), fields: { stream: "True" } };
    const failed = await transcribe(tenant, busy);
    expect([failed.status, failed.body.error.kind]).toEqual([503, "engine_busy"]);
    const plain = await transcribe(tenant, { fields: { stream: "false" } });
    expect(plain.body.text).toBe("Good morning. How are you?");
    const text = await transcribe(tenant, { fields: { stream: "1", response_format: "text" } });
    expect(text.body).toContain('"type":"transcript.text.done"');
  });

  it.each([
    ["3040", 503, "engine_busy", "voided"],
    ["5007", 502, "engine_failed", "voided"],
    ["3036", 429, "account_quota_exceeded", "voided"],
    ["500", 502, "engine_failed", "posted"],
    ["3007", 504, "engine_timeout", "posted"],
    ["malformed", 502, "engine_failed", "posted"],
    ["not_json", 502, "engine_failed", "posted"],
    ["no_text", 502, "engine_failed", "posted"],
    ["bad_words", 502, "engine_failed", "posted"],
  ])("tells of %s, and charges what may have run", async (behaviour, status, kind, outcome) => {
    const tenant = await aTenant();
    const reply = await transcribe(tenant, { file: scripted(behaviour) });
    expect(reply.status).toBe(status);
    expect(reply.body.error.kind).toBe(kind);
    const [line] = await lines(tenant);
    expect(line.outcome).toBe(outcome);
    expect(line.micro_neurons).toBe(outcome === "voided" ? 0 : line.held_micro_neurons);
  });

  it("falls back to a model of the same kind, at its price", async () => {
    const tenant = await aTenant({ fallbacks: { [WHISPER]: ["@cf/baai/bge-m3", NOVA] } });
    const reply = await transcribe(tenant, { file: scripted("3040,3040,ok") });
    expect(reply.body.neurogate).toMatchObject({ priced_as: NOVA, micro_neurons: 7_878_834 });
  });

  it.each([
    [WHISPER, { language: "de" }, "language"],
    [WHISPER, { prompt: "names" }, "prompt"],
    [NOVA, { prompt: "names" }, "prompt"],
    [LARGE, { temperature: "0.5" }, "temperature"],
  ])("%s cannot honour %j, and says so for nothing", async (model, fields, parameter) => {
    const tenant = await aTenant();
    const reply = await transcribe(tenant, { fields: { model, ...fields } });
    expect(reply.status).toBe(400);
    expect(reply.body.error).toMatchObject({ kind: "unsupported_parameter", param: parameter });
    const [line] = await lines(tenant);
    expect(line).toMatchObject({ outcome: "voided", micro_neurons: 0 });
  });
});

describe("what cannot be heard", () => {
  it.each<readonly [string, Sent, number, string, string | null]>([
    ["no file", { file: null }, 400, "invalid_request", "file"],
    ["a text for a file", { file: "not a file" }, 400, "invalid_request", "file"],
    ["an empty file", { file: new Uint8Array() }, 400, "invalid_request", "file"],
    ["no model", { fields: { model: undefined } }, 400, "invalid_request", "model"],
    ["a file and a list of them", { fields: { "file[]": "x" } }, 400, "invalid_request", "file"],
    ["two models", { fields: { model: [WHISPER, NOVA] } }, 400, "invalid_request", "model"],
    ["another kind of model", { fields: { model: "@cf/baai/bge-m3" } }, 400, "invalid_request", "model"],
    ["an unknown model", { fields: { model: "whisper-9" } }, 404, "model_not_found", "model"],
    ["a model without a price", { fields: { model: "@cf/deepgram/flux" } }, 400, "unpriced_model", "model"],
    ["a format that is none", { fields: { response_format: "docx" } }, 400, "invalid_request", "response_format"],
    ["a temperature of 2", { fields: { temperature: "2" } }, 400, "invalid_request", "temperature"],
    ["a temperature in words", { fields: { temperature: "hot" } }, 400, "invalid_request", "temperature"],
    ["a language that is none", { fields: { language: "the Queen's" } }, 400, "invalid_request", "language"],
    ["a stream of subtitles", { fields: { stream: "true", response_format: "srt" } }, 400, "invalid_request", "stream"],
    ["a stream of times", { fields: { stream: "1", response_format: "verbose_json" } }, 400, "invalid_request", "stream"],
    ["a stream in words", { fields: { stream: "please" } }, 400, "invalid_request", "stream"],
    ["likelihoods", { fields: { "include[]": ["logprobs"] } }, 400, "invalid_request", "include"],
    ["words to listen for", { fields: { "keywords[]": ["Kyiv"] } }, 400, "invalid_request", "keywords"],
    ["languages", { fields: { "languages[]": ["en", "de"] } }, 400, "invalid_request", "languages"],
    ["speakers", { fields: { "known_speaker_names[]": ["Ann"] } }, 400, "invalid_request", "known_speaker_names"],
    ["their voices", { fields: { "known_speaker_references[]": ["x"] } }, 400, "invalid_request", "known_speaker_references"],
    ["other times", { fields: { "timestamp_granularities[]": ["year"] } }, 400, "invalid_request", "timestamp_granularities[0]"],
    ["a field of 70 KB", { fields: { prompt: "x".repeat(70_000) } }, 400, "invalid_request", "prompt"],
    ["a prompt of 2,000 characters", { fields: { prompt: "x".repeat(2000) } }, 400, "invalid_request", "prompt"],
    ["a text file", { file: new TextEncoder().encode("Good morning").slice() }, 400, "unbounded_usage", "file"],
    ["a compressed WAV", { file: wav({ tag: 0x55 }) }, 400, "unbounded_usage", "file"],
    ["JSON", { headers: { "Content-Type": "application/json" } }, 415, "unsupported_media_type", null],
    ["an unknown encoding", { headers: { "Content-Encoding": "zstd" } }, 415, "unsupported_media_type", null],
    ["no boundary", { headers: { "Content-Type": "multipart/form-data" } }, 400, "invalid_request", null],
    ["another boundary", { headers: { "Content-Type": "multipart/form-data; boundary=x" } }, 400, "invalid_request", null],
    ["26 MB", { file: new Uint8Array(26 * 1024 * 1024) }, 413, "body_too_large", "file"],
    ["a file a byte too large", { file: new Uint8Array(25 * 1024 * 1024 + 1) }, 400, "invalid_request", "file"],
  ])("%s", async (_, sent, status, kind, param) => {
    const tenant = await aTenant();
    const reply = await transcribe(tenant, sent);
    expect(reply.status).toBe(status);
    expect(reply.body.error).toMatchObject({ kind, param });
    expect(await lines(tenant)).toEqual([]);
  }); // prettier-ignore

  it("is not heard beyond the quota", async () => {
    // An hour of whisper is 2,468 neurons.
    const tenant = await aTenant({ daily_neurons: 100 });
    const file = opus({ packets: 250 });
    expect((await transcribe(tenant, { file })).status).toBe(200);
    const reply = await transcribe(tenant, { file: webm({ duration: 3_600_000 }) });
    expect(reply.status).toBe(400);
    expect(reply.body.error.kind).toBe("over_limit");
  });

  it("is not heard by the engine within the Worker", async () => {
    const tenant = await aTenant();
    const reply = await transcribe(tenant, { engine: { INFERENCE: "embedded" } });
    expect(reply.status).toBe(501);
    expect(reply.body.error.kind).toBe("engine_unsupported");
    expect(reply.body.error.message).toMatch(
      /^The local stand-in cannot transcribe\. Set INFERENCE=/,
    );
    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(await lines(tenant)).toMatchObject([{ outcome: "voided", micro_neurons: 0 }]);
  });
});

describe("POST /v1/audio/transcriptions with an OpenAI-compatible server", () => {
  it("asks the model that stands in, and counts the length itself", async () => {
    const tenant = await aTenant();
    const reply = await transcribe(tenant, { engine: OPENAI });
    expect(reply.body).toMatchObject({
      text: "Good morning. How are you?",
      neurogate: {
        micro_neurons: 685_667,
        basis: "counted",
        model: "whisper-1",
        priced_as: WHISPER,
      },
    });
  });

  it("sends the form with all that was asked", async () => {
    const file = scripted("ok");
    const fields = {
      language: "de",
      prompt: "Namen",
      temperature: "0.25",
      response_format: "srt",
    };
    const reply = await transcribe(await aTenant(), { file, fields, engine: OPENAI });
    expect(reply.body).toContain("00:00:00,500 --> 00:00:01,000\nHow are you?");
    const content = latin1(file);
    const [request] = await recorded(/\|([\w-]+)\]/.exec(content)?.[1] ?? "");
    expect(request?.inputs).toEqual({
      model: "whisper-1",
      response_format: "verbose_json",
      language: "de",
      prompt: "Namen",
      temperature: "0.25",
      "timestamp_granularities[]": ["segment", "word"],
      file: { name: "audio.wav", type: "audio/wav", content },
    });
  });

  it.each([
    ["429", 503, "voided"],
    ["400", 400, "voided"],
    ["500", 502, "posted"],
    ["no_text", 502, "posted"],
    ["malformed", 502, "posted"],
  ])("tells of %s", async (behaviour, status, outcome) => {
    const tenant = await aTenant();
    const reply = await transcribe(tenant, { file: scripted(behaviour), engine: OPENAI });
    expect(reply.status).toBe(status);
    expect(await lines(tenant)).toMatchObject([{ outcome }]);
  });

  it("does not pretend for a model that it was not given", async () => {
    const reply = await transcribe(await aTenant(), { fields: { model: NOVA }, engine: OPENAI });
    expect(reply.status).toBe(501);
  });
});
