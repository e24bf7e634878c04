import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { ask, makeTenant, type TestTenant, WORKERS_AI } from "../client.ts";
import { type Bytes, wav } from "../audio/recordings.ts";
import { unique } from "./scripted.ts";

// What a recording says, in English: by the models that translate, and by no other.

const LARGE = "@cf/openai/whisper-large-v3-turbo";
const WHISPER = "@cf/openai/whisper";
const PATH = "/v1/audio/translations";
const OPENAI = {
  INFERENCE: "openai",
  OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1`,
  OPENAI_MODELS: JSON.stringify({ [WHISPER]: "whisper-1" }),
};

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant(`translates-${unique()}`, { daily_neurons: 9000 });
});

/** A second of WAV whose samples carry a marker for the fake. */
function recording(id: string): Bytes {
  const bytes = wav({ ms: 1000 });
  bytes.set(new TextEncoder().encode(`[[fake:ok|${id}]]`), 60);
  return bytes;
}

interface Sent {
  readonly id?: string;
  readonly engine?: Readonly<Record<string, unknown>>;
}

async function translate(
  fields: Readonly<Record<string, string>>,
  { id = unique(), engine = WORKERS_AI }: Sent = {},
) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", new File([recording(id)], "talk.wav"));
  const response = new Response(form);
  return ask("POST", PATH, {
    key: tenant.key,
    body: new Uint8Array(await response.arrayBuffer()),
    headers: { "Content-Type": response.headers.get("content-type") ?? "" },
    env: engine,
  });
}

interface Asked {
  readonly model: string;
  readonly path?: string;
  readonly inputs: Record<string, unknown>;
}

async function askedOf(id: string): Promise<Asked> {
  const [asked]: Asked[] = await (await fetch(`${env.FAKE_AI_URL}__requests?match=${id}`)).json();
  if (asked === undefined) throw new Error("no engine was asked");
  return asked;
}

describe("a translation of a recording", () => {
  it("is asked of Whisper as its own task, and charged as a transcription", async () => {
    const id = unique();
    const { status, body } = await translate({ model: LARGE, prompt: "Names: Lena" }, { id });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      text: "Good morning. How are you?",
      usage: { type: "duration", seconds: 1 },
      // A second of 46,630,000 uN a minute.
      neurogate: { micro_neurons: 777_167, model: LARGE },
    });
    const { inputs } = await askedOf(id);
    expect(inputs).toMatchObject({ task: "translate", initial_prompt: "Names: Lena" });
    const [line] = (await tenant.call("GET", "/v1/ledger?limit=1")).body.data;
    expect(line).toMatchObject({
      route: "POST /v1/audio/translations",
      micro_neurons: 777_167,
      overrun_micro_neurons: 0,
    });
  });

  it("says its task, in every format of a transcription", async () => {
    const verbose = await translate({ model: LARGE, response_format: "verbose_json" });
    expect(verbose.body).toMatchObject({ task: "translate", duration: 1 });
    const text = await translate({ model: LARGE, response_format: "text" });
    expect(text.body).toBe("Good morning. How are you?\n");
    const srt = await translate({ model: LARGE, response_format: "srt" });
    expect(srt.body).toContain("00:00:00,500 --> 00:00:01,000\nHow are you?");
  });

  it("is asked of an OpenAI-compatible server at its own path", async () => {
    const id = unique();
    const fields = { model: WHISPER, response_format: "verbose_json" };
    const { status } = await translate(fields, { id, engine: OPENAI });
    expect(status).toBe(200);
    const { path, inputs } = await askedOf(id);
    expect(path).toMatch(/\/v1\/audio\/translations$/);
    expect(inputs).not.toHaveProperty("timestamp_granularities[]");
  });

  it("is refused by name of a model that only transcribes, and nothing is charged", async () => {
    for (const model of [WHISPER, "@cf/deepgram/nova-3"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, body } = await translate({ model });
      expect([status, body.error.param]).toEqual([400, "model"]);
      expect(body.error.message).toContain(LARGE);
    }
    const [line] = (await tenant.call("GET", "/v1/ledger?limit=1")).body.data;
    expect(line).toMatchObject({ outcome: "voided", micro_neurons: 0 });
  });

  it("is done under /ai/run too", async () => {
    const run = `/client/v4/accounts/${tenant.id}/ai/run/`;
    const id = unique();
    const audio = recording(id).toBase64();
    const asked = await tenant.onWorkersAi("POST", run + LARGE, { audio, task: "translate" });
    expect(asked.status).toBe(200);
    expect((await askedOf(id)).inputs).toMatchObject({ task: "translate" });
    const refused = await tenant.onWorkersAi("POST", run + WHISPER, { audio, task: "translate" });
    expect([refused.status, refused.body.errors[0].source.pointer]).toEqual([400, "/task"]);
  });
});
