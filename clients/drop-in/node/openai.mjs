// The official client for Node. It reads its base URL and its key from the environment itself.
import assert from "node:assert/strict";
import OpenAI, { APIError, NotFoundError, toFile } from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { wav } from "../../../test/e2e/tiny-recording.mjs";
import { drive, heard, keyOf, models, rude, said, saying, userSays } from "./drive.mjs";
import {
  assertTools,
  assertWeather,
  featuresOf,
  shownOf,
  texts,
  Weather,
  WEATHER_FUNCTION,
  writingWeather,
} from "./features.mjs";

const client = new OpenAI();
const model = models.chat;

async function ask(prompt, { model: name = model, isSpent = false } = {}) {
  const one = isSpent ? new OpenAI({ apiKey: keyOf(isSpent) }) : client;
  return shownOf(await one.chat.completions.create({ model: name, messages: userSays(prompt) }));
}

async function stream(prompt) {
  const runner = client.chat.completions.stream({
    model,
    messages: userSays(prompt),
    stream_options: { include_usage: true },
  });
  return shownOf(await runner.finalChatCompletion());
}

async function readObject() {
  const reply = await client.chat.completions.parse({
    model,
    messages: userSays(writingWeather()),
    response_format: zodResponseFormat(Weather, "weather"),
  });
  return reply.choices[0].message.parsed;
}

function useTools(prompt, weather) {
  const tool = { ...WEATHER_FUNCTION, parse: JSON.parse, function: weather };
  const runner = client.chat.completions.runTools({
    model,
    messages: userSays(prompt),
    tools: [{ type: "function", function: tool }],
    stream: true,
  });
  return runner.finalContent();
}

/** Each call has only what is new, and the id of the response before it. */
async function askOverKeptTurns(prompt, weather) {
  const tools = [{ type: "function", ...WEATHER_FUNCTION, strict: false }];
  let last = await client.responses.create({ model, tools, input: prompt });
  for (;;) {
    const calls = last.output.filter(({ type }) => type === "function_call");
    if (calls.length === 0) return last;
    const input = calls.map(({ call_id, arguments: written }) => ({
      type: "function_call_output",
      call_id,
      output: weather(JSON.parse(written)),
    }));
    const next = { model, tools, input, previous_response_id: last.id };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    last = await client.responses.create(next);
  }
}

const own = {
  async stream() {
    const asking = { model, messages: userSays(saying()), stream: true };
    let text = "";
    for await (const chunk of await client.chat.completions.create(asking)) {
      text += chunk.choices[0]?.delta.content ?? "";
    }
    assert.equal(text, said);
  },

  async responses() {
    const streamed = client.responses.stream({ model, input: saying() });
    let text = "";
    streamed.on("response.output_text.delta", ({ delta }) => (text += delta));
    const { output_text, usage } = await streamed.finalResponse();
    assert.deepEqual([text, output_text, usage.output_tokens], [said, said, 5]);
    const { output_parsed } = await client.responses.parse({
      model,
      input: writingWeather(),
      text: { format: zodTextFormat(Weather, "weather") },
    });
    assertWeather(output_parsed);
    let last;
    await assertTools(async (prompt, weather) => {
      last = await askOverKeptTurns(prompt, weather);
      return last.output_text;
    });
    assert.equal((await client.responses.retrieve(last.id)).output_text, said);
    await client.responses.delete(last.id);
    await assert.rejects(client.responses.retrieve(last.id), NotFoundError);
  },

  async transcription() {
    const file = await toFile(wav(1000, ""), "talk.wav", { type: "audio/wav" });
    const asking = { model: models.transcription, file, stream: /** @type {const} */ (true) };
    let [text, all] = ["", ""];
    for await (const event of await client.audio.transcriptions.create(asking)) {
      if (event.type === "transcript.text.delta") text += event.delta;
      if (event.type === "transcript.text.done") all = event.text;
    }
    assert.deepEqual([text, all], [heard, heard]);
  },

  async moderation() {
    const { results } = await client.moderations.create({ input: [...texts(149), rude] });
    assert.deepEqual(
      [results.length, results[0].flagged, results[149].flagged],
      [150, false, true],
    );
  },

  async guard() {
    const reply = await client.chat.completions.create({
      model,
      messages: userSays(`${rude} ${saying()}`),
      moderation: { model: "omni-moderation-latest" },
    });
    assert.equal(reply["moderation"].input.results[0].flagged, true);
  },
};

const features = featuresOf({
  ask,
  stream,
  statusOf: (error) => (error instanceof APIError ? error.status : undefined),
  objects: [readObject],
  useTools,
  async embed(input) {
    const { data } = await client.embeddings.create({ model: models.embedding, input });
    return data.map(({ embedding }) => embedding);
  },
  async draw(prompt) {
    const { data } = await client.images.generate({
      model: models.image,
      prompt,
      size: "1024x1024",
      response_format: "b64_json",
    });
    return Buffer.from(data[0].b64_json, "base64");
  },
  async speak(input) {
    const asking = { model: models.speech, voice: "alloy", input };
    return (await client.audio.speech.create(asking)).arrayBuffer();
  },
  async hear(recording) {
    const file = await toFile(recording, "talk.wav", { type: "audio/wav" });
    const asking = { model: models.transcription, file };
    return (await client.audio.transcriptions.create(asking)).text;
  },
  own,
});
await drive(["openai"], features);
