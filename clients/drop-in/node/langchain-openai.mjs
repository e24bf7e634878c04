// LangChain for OpenAI in Node, with its moderation chain and its moderation middleware.
import assert from "node:assert/strict";
import { OpenAIModerationChain } from "@langchain/classic/chains";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI, DallEAPIWrapper, OpenAIEmbeddings } from "@langchain/openai";
import { createAgent, openAIModerationMiddleware } from "langchain";
import { z } from "zod";
import {
  askingForWeather,
  assertErrors,
  assertVectors,
  drive,
  models,
  oddAnswers,
  rude,
  said,
  saying,
  texts,
  timesAsked,
} from "./drive.mjs";

const { env } = process;
const configuration = { baseURL: env.OPENAI_BASE_URL };

const isResponses = process.argv[2] === "responses";

const chat = ({ model = models.chat, isSpent = false } = {}) =>
  new ChatOpenAI({
    model,
    configuration,
    useResponsesApi: isResponses,
    // Of its own it tries an engine that fails seven times, for a minute.
    maxRetries: 1,
    apiKey: isSpent ? env.SPENT_API_KEY : env.OPENAI_API_KEY,
  });

/** Of a response: why it is incomplete, in the words of chats. */
function finishIn({ finish_reason, status, incomplete_details: details }) {
  if (!isResponses) return finish_reason;
  const reason = details?.reason ?? (status === "completed" ? "stop" : status);
  return reason === "max_output_tokens" ? "length" : reason;
}

const shownOf = ({ text, usage_metadata: usage, response_metadata: metadata }) => ({
  text,
  finish: finishIn(metadata),
  usage: usage && [usage.input_tokens, usage.output_tokens],
  reasoning: usage?.output_token_details?.reasoning,
});

const ask = async (prompt, options) => shownOf(await chat(options).invoke(prompt));

async function stream(prompt) {
  let whole;
  for await (const chunk of await chat().stream(prompt)) {
    whole = whole === undefined ? chunk : whole.concat(chunk);
  }
  return shownOf(whole);
}

const Weather = z.object({ city: z.string(), degrees: z.number(), note: z.string().nullable() });
const WEATHER = { city: "Paris", degrees: 24, note: null };

const userSays = (content) => ({ messages: [{ role: "user", content }] });
const lastOf = ({ messages }) => messages.at(-1).text;

await drive(["@langchain/openai", "langchain"], {
  async text() {
    const { text, finish, usage } = await ask(saying());
    assert.deepEqual([text, finish, usage], [said, "stop", [12, 5]]);
  },

  async stream() {
    const { text, usage } = await stream(saying());
    assert.deepEqual([text, usage], [said, [12, 5]]);
  },

  async objects() {
    for (const method of ["jsonSchema", "jsonMode"]) {
      const model = chat().withStructuredOutput(Weather, { method });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      assert.deepEqual(await model.invoke(saying(JSON.stringify(WEATHER))), WEATHER);
    }
  },

  async tools() {
    const cities = [];
    const getWeather = tool(
      ({ city }) => {
        cities.push(city);
        return "24 degrees";
      },
      { name: "get_weather", description: "Weather", schema: z.object({ city: z.string() }) },
    );
    const agent = createAgent({ model: chat(), tools: [getWeather] });
    const done = await agent.invoke(userSays(askingForWeather()));
    let streamed = "";
    const asking = userSays(askingForWeather("&no_ids"));
    for await (const [chunk] of await agent.stream(asking, { streamMode: "messages" })) {
      if (chunk.getType() === "ai") streamed += chunk.text;
    }
    assert.deepEqual([lastOf(done), streamed], [said, said]);
    assert.deepEqual(cities, ["Paris", "Rome", "Paris", "Rome"]);
  },

  async embeddings() {
    const embeddings = new OpenAIEmbeddings({ model: models.embedding, configuration });
    assertVectors(await embeddings.embedDocuments(texts(150)), 150);
  },

  async images() {
    const painter = new DallEAPIWrapper({
      model: models.image,
      dallEResponseFormat: "b64_json",
      baseUrl: env.OPENAI_BASE_URL,
    });
    assert.match(await painter.invoke("A red boat"), /^(data:image\/png;base64,)?iVBOR/);
  },

  async moderation() {
    const chain = new OpenAIModerationChain({ configuration, throwError: true });
    assert.equal((await chain.invoke({ input: "Good morning" })).output, "Good morning");
    await assert.rejects(chain.invoke({ input: rude }), /violates/);
    const middleware = [openAIModerationMiddleware({ model: chat() })];
    const agent = createAgent({ model: chat(), tools: [], middleware });
    assert.equal(lastOf(await agent.invoke(userSays(saying()))), said);
    const prompt = `${rude} ${saying()}`;
    assert.match(lastOf(await agent.invoke(userSays(prompt))), /flagged/);
    assert.equal(await timesAsked(prompt), 0);
    // The answer is checked too.
    assert.match(lastOf(await agent.invoke(userSays(saying(rude)))), /flagged/);
  },

  async guard() {
    const moderation = { model: "omni-moderation-latest", policy: { input: { mode: "block" } } };
    const guarded = new ChatOpenAI({
      model: models.chat,
      configuration,
      useResponsesApi: isResponses,
      modelKwargs: { moderation },
    });
    const { text, finish } = shownOf(await guarded.invoke(`${rude} ${saying()}`));
    assert.deepEqual([text, finish], ["", "content_filter"]);
  },

  async errors() {
    await assertErrors({ ask, statusOf: ({ status }) => status });
  },

  odd: oddAnswers({ ask, stream }),
});
