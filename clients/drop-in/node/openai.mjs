// The official client for Node. It reads its base URL and its key from the environment itself.
import assert from "node:assert/strict";
import OpenAI, { APIError, NotFoundError, toFile } from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import {
  askingForWeather,
  assertErrors,
  assertVectors,
  drive,
  heard,
  models,
  oddAnswers,
  recording,
  rude,
  said,
  saying,
  texts,
} from "./drive.mjs";

const client = new OpenAI();
const userSays = (content) => [{ role: "user", content }];

const usageIn = (usage) => usage && [usage.prompt_tokens, usage.completion_tokens];
const reasoningIn = (usage) => usage?.completion_tokens_details?.reasoning_tokens;

async function ask(prompt, { model = models.chat, isSpent = false } = {}) {
  const one = isSpent ? new OpenAI({ apiKey: process.env.SPENT_API_KEY }) : client;
  const reply = await one.chat.completions.create({ model, messages: userSays(prompt) });
  const [{ message, finish_reason }] = reply.choices;
  return {
    text: message.content ?? "",
    finish: finish_reason,
    usage: usageIn(reply.usage),
    reasoning: reasoningIn(reply.usage),
  };
}

async function stream(prompt) {
  const runner = client.chat.completions.stream({
    model: models.chat,
    messages: userSays(prompt),
    stream_options: { include_usage: true },
  });
  const { choices, usage } = await runner.finalChatCompletion();
  return {
    text: choices[0].message.content,
    finish: choices[0].finish_reason,
    usage: usageIn(usage),
    reasoning: reasoningIn(usage),
  };
}

const Weather = z.object({ city: z.string(), degrees: z.number(), note: z.string().nullable() });
const WEATHER = { city: "Paris", degrees: 24, note: null };

/** Each call has only what is new, and the id of the response before it. */
async function askOverKeptTurns(asking) {
  const parameters = { type: "object", properties: { city: { type: "string" } } };
  const tools = [{ type: "function", name: "get_weather", parameters, strict: false }];
  const cities = [];
  let last = await client.responses.create({ ...asking, tools, input: askingForWeather() });
  for (;;) {
    const calls = last.output.filter(({ type }) => type === "function_call");
    if (calls.length === 0) return { last, cities };
    cities.push(...calls.map((call) => JSON.parse(call.arguments).city));
    const input = calls.map(({ call_id }) => ({
      type: "function_call_output",
      call_id,
      output: "24 degrees",
    }));
    const next = { ...asking, tools, input, previous_response_id: last.id };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    last = await client.responses.create(next);
  }
}

await drive(["openai"], {
  async text() {
    const { text, finish, usage } = await ask(saying());
    assert.deepEqual([text, finish, usage], [said, "stop", [12, 5]]);
  },

  async stream() {
    const asking = { model: models.chat, messages: userSays(saying()), stream: true };
    let text = "";
    for await (const chunk of await client.chat.completions.create(asking)) {
      text += chunk.choices[0]?.delta.content ?? "";
    }
    assert.equal(text, said);
  },

  async objects() {
    const reply = await client.chat.completions.parse({
      model: models.chat,
      messages: userSays(saying(JSON.stringify(WEATHER))),
      response_format: zodResponseFormat(Weather, "weather"),
    });
    assert.deepEqual(reply.choices[0].message.parsed, WEATHER);
  },

  async tools() {
    for (const more of ["", "&no_ids"]) {
      const cities = [];
      const tool = {
        type: "function",
        function: {
          name: "get_weather",
          parameters: { type: "object", properties: { city: { type: "string" } } },
          parse: JSON.parse,
          function: ({ city }) => {
            cities.push(city);
            return "24 degrees";
          },
        },
      };
      const runner = client.chat.completions.runTools({
        model: models.chat,
        messages: userSays(askingForWeather(more)),
        tools: [tool],
        stream: true,
      });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      assert.equal(await runner.finalContent(), said);
      assert.deepEqual(cities, ["Paris", "Rome"]);
    }
  },

  async responses() {
    const asking = { model: models.chat };
    const streamed = client.responses.stream({ ...asking, input: saying() });
    let text = "";
    streamed.on("response.output_text.delta", ({ delta }) => (text += delta));
    const { output_text, usage } = await streamed.finalResponse();
    assert.deepEqual([text, output_text, usage.output_tokens], [said, said, 5]);
    const { output_parsed } = await client.responses.parse({
      ...asking,
      input: saying(JSON.stringify(WEATHER)),
      text: { format: zodTextFormat(Weather, "weather") },
    });
    assert.deepEqual(output_parsed, WEATHER);
    const { last, cities } = await askOverKeptTurns(asking);
    assert.deepEqual([last.output_text, cities], [said, ["Paris", "Rome"]]);
    assert.equal((await client.responses.retrieve(last.id)).output_text, said);
    await client.responses.delete(last.id);
    await assert.rejects(client.responses.retrieve(last.id), NotFoundError);
  },

  async embeddings() {
    const { data } = await client.embeddings.create({ model: models.embedding, input: texts(150) });
    assertVectors(
      data.map(({ embedding }) => embedding),
      150,
    );
  },

  async images() {
    const { data } = await client.images.generate({
      model: models.image,
      prompt: "A red boat",
      size: "1024x1024",
      response_format: "b64_json",
    });
    assert.equal(Buffer.from(data[0].b64_json, "base64").subarray(1, 4).toString(), "PNG");
  },

  async speech() {
    const spoken = await client.audio.speech.create({
      model: models.speech,
      voice: "alloy",
      input: "Hello",
    });
    assert.ok((await spoken.arrayBuffer()).byteLength > 400);
  },

  async transcription() {
    const file = await toFile(recording(), "talk.wav", { type: "audio/wav" });
    const { text } = await client.audio.transcriptions.create({
      model: models.transcription,
      file,
    });
    assert.equal(text, heard);
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
      model: models.chat,
      messages: userSays(`${rude} ${saying()}`),
      moderation: { model: "omni-moderation-latest" },
    });
    assert.equal(reply["moderation"].input.results[0].flagged, true);
  },

  async errors() {
    await assertErrors({
      ask,
      statusOf: (error) => (error instanceof APIError ? error.status : undefined),
    });
  },

  odd: oddAnswers({ ask, stream }),
});
