// The official client hears and speaks against the real server, by its base URL alone.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI, { APIError, BadRequestError, NotFoundError, toFile } from "openai";
import { startFakeOpenAi } from "../fakes/openai-server.mjs";
import { MARKER, Server, sharedServer } from "./server.mjs";
import { wav } from "./tiny-recording.mjs";

const WHISPER = "@cf/openai/whisper";
const MELOTTS = "@cf/myshell-ai/melotts";
/** The client's own names, as a tenant would have them. */
const ALIASES = { "whisper-1": WHISPER, "tts-1": MELOTTS };

const embedded = sharedServer();
/** @type {Server} */
let hearing;

before(async () => {
  const fake = await startFakeOpenAi();
  hearing = new Server({
    INFERENCE: "openai",
    OPENAI_BASE_URL: fake.url.href,
    OPENAI_MODELS: JSON.stringify({ [WHISPER]: "whisper-x", [MELOTTS]: "kokoro" }),
  });
  await hearing.start();
});
after(() => hearing.stop());

/** A client with its default settings; `sent` counts its requests. */
async function clientOf(/** @type {Server} */ server, id, settings = {}) {
  const apiKey = await server.makeTenant(id, { aliases: ALIASES, ...settings });
  const sent = [];
  const counting = (url, options) => {
    // It first tries a `data:` address, to see whether this fetch knows forms.
    if (String(url).startsWith("http")) sent.push(url);
    return fetch(url, options);
  };
  return { client: new OpenAI({ apiKey, baseURL: `${server.url}/v1`, fetch: counting }), sent };
}

const recording = (bytes = wav(1000, MARKER)) => toFile(bytes, "talk.wav", { type: "audio/wav" });

test("audio.transcriptions.create", async (t) => {
  const { client, sent } = await clientOf(hearing, "hearing");
  const transcribe = async (more = {}) =>
    client.audio.transcriptions.create({ model: "whisper-1", file: await recording(), ...more });

  await t.test("as JSON, and what it cost", async () => {
    const reply = await transcribe();
    assert.equal(reply.text, "Good morning. How are you?");
    assert.deepEqual(reply.usage, { type: "duration", seconds: 1 });
    assert.equal(reply["neurogate"].micro_neurons, 685_667);
    assert.match(reply["_request_id"], /^req_/);
  });

  await t.test("as a stream of events", async () => {
    const events = [];
    const asking = {
      model: "whisper-1",
      file: await recording(),
      stream: /** @type {const} */ (true),
    };
    for await (const event of await client.audio.transcriptions.create(asking)) events.push(event);
    const done = events.pop();
    assert.ok(events.length > 0);
    assert.ok(events.every(({ type }) => type === "transcript.text.delta"));
    assert.equal(events.map(({ delta }) => delta).join(""), "Good morning. How are you?");
    assert.equal(done.type, "transcript.text.done");
    assert.equal(done.text, "Good morning. How are you?");
    assert.deepEqual(done.usage, { type: "duration", seconds: 1 });
    assert.equal(done["neurogate"].micro_neurons, 685_667);
    await assert.rejects(transcribe({ stream: true, response_format: "vtt" }), BadRequestError);
  });

  await t.test("as text and as subtitles", async () => {
    assert.equal(await transcribe({ response_format: "text" }), "Good morning. How are you?\n");
    const [srt, vtt] = await Promise.all(
      ["srt", "vtt"].map((response_format) => transcribe({ response_format })),
    );
    assert.match(srt, /^1\n00:00:00,000 --> 00:00:00,500\nGood morning\.\n/);
    assert.match(vtt, /^WEBVTT\n/);
  });

  await t.test("with times of words, which the client sends as a list", async () => {
    const reply = await transcribe({
      response_format: "verbose_json",
      timestamp_granularities: ["word", "segment"],
      language: "en",
      temperature: 0.2,
    });
    assert.equal(reply.duration, 1);
    assert.equal(reply.segments.length, 2);
    assert.deepEqual(reply.words[0], { word: "Good", start: 0, end: 0.2 });
  });

  await t.test("a file of 20 MB", async () => {
    const file = await recording(wav(1_250_000, MARKER));
    const reply = await client.audio.transcriptions.create({ model: "whisper-1", file });
    assert.deepEqual(reply.usage, { type: "duration", seconds: 1250 });
  });

  assert.equal(sent.length, 8, "no request was repeated");
});

test("what cannot be transcribed is told by type, once", async () => {
  const { client, sent } = await clientOf(hearing, "deaf");
  const failing = async (more) => {
    const already = sent.length;
    const file = await recording();
    try {
      await client.audio.transcriptions.create({ model: "whisper-1", file, ...more });
    } catch (error) {
      assert.ok(error instanceof APIError);
      assert.equal(sent.length, already + 1, "it was not asked again");
      return error;
    }
    throw new assert.AssertionError({ message: "it was transcribed" });
  };
  const unreadable = await failing({ file: await recording(Buffer.from(`${MARKER}, no sound`)) });
  assert.ok(unreadable instanceof BadRequestError);
  assert.equal(unreadable.code, "unbounded_usage");
  assert.equal(unreadable.param, "file");
  const unknown = await failing({ model: "whisper-9" });
  assert.ok(unknown instanceof NotFoundError);
  assert.equal(unknown.code, "model_not_found");
  const hot = await failing({ temperature: 2 });
  assert.equal(hot.param, "temperature");
  const large = await failing({ file: await recording(wav(1_700_000, MARKER)) });
  assert.equal(large.status, 413);
  assert.equal(large.param, "file");
});

test("the engine within the Worker does not hear, and is asked once", async () => {
  const { client, sent } = await clientOf(embedded, "embedded-deaf");
  await assert.rejects(
    client.audio.transcriptions.create({ model: "whisper-1", file: await recording() }),
    (error) => {
      assert.ok(error instanceof APIError);
      assert.equal(error.status, 501);
      assert.equal(error.code, "engine_unsupported");
      return true;
    },
  );
  assert.equal(sent.length, 1);
});

test("audio.speech.create", async (t) => {
  const say = { model: "tts-1", voice: "alloy", input: `Good morning, ${MARKER}` };

  await t.test("within the Worker: tones, as WAV", async () => {
    const { client } = await clientOf(embedded, "tones");
    const reply = await client.audio.speech.create(say);
    assert.equal(reply.headers.get("content-type"), "audio/wav");
    // 40 ms for each of its bytes, of 18,630,000 uN a minute.
    const cost = Math.ceil((Buffer.byteLength(say.input) * 40 * 18_630_000) / 60_000);
    assert.equal(Number(reply.headers.get("x-neurogate-micro-neurons")), cost);
    const bytes = Buffer.from(await reply.arrayBuffer());
    assert.equal(bytes.toString("latin1", 0, 4), "RIFF");
    assert.equal(bytes.readUInt32LE(40), bytes.length - 44);
  });

  await t.test("by a server: MP3, with what was asked", async () => {
    const { client } = await clientOf(hearing, "spoken");
    const reply = await client.audio.speech.create({ ...say, response_format: "mp3", speed: 1.2 });
    assert.equal(reply.headers.get("content-type"), "audio/mpeg");
    assert.equal((await reply.arrayBuffer()).byteLength, Buffer.byteLength(say.input) * 417);
  });

  await t.test("what cannot be said is told by field", async () => {
    const { client, sent } = await clientOf(embedded, "mute");
    await assert.rejects(client.audio.speech.create({ ...say, speed: 9 }), (error) => {
      assert.ok(error instanceof BadRequestError);
      assert.equal(error.param, "speed");
      return true;
    });
    await assert.rejects(client.audio.speech.create({ ...say, response_format: "flac" }), {
      code: "unsupported_parameter",
      param: "response_format",
    });
    assert.equal(sent.length, 2);
  });
});
