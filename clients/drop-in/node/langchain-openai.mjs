// LangChain for OpenAI in Node, with its moderation chain and its moderation middleware.
import assert from "node:assert/strict";
import { OpenAIModerationChain } from "@langchain/classic/chains";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI, DallEAPIWrapper, OpenAIEmbeddings } from "@langchain/openai";
import { createAgent, openAIModerationMiddleware } from "langchain";
import { drive, keyOf, models, rude, said, saying, timesAsked, userSays } from "./drive.mjs";
import { City, featuresOf, Weather, WEATHER_FUNCTION, writingWeather } from "./features.mjs";

const baseURL = process.env.OPENAI_BASE_URL;
const configuration = { baseURL };

const isResponses = process.argv[2] === "responses";

const chat = ({ model = models.chat, isSpent = false, ...more } = {}) =>
  new ChatOpenAI({
    model,
    configuration,
    useResponsesApi: isResponses,
    // Of its own it tries an engine that fails seven times, for a minute.
    maxRetries: 1,
    apiKey: keyOf(isSpent),
    ...more,
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

const readObject = (method) => () =>
  chat().withStructuredOutput(Weather, { method }).invoke(writingWeather());

/** The last text of an agent's answer. */
const answerOf = async (agent, prompt) =>
  (await agent.invoke({ messages: userSays(prompt) })).messages.at(-1).text;

async function useTools(prompt, weather, isStreamed) {
  const { name, description } = WEATHER_FUNCTION;
  const tools = [tool(weather, { name, description, schema: City })];
  const agent = createAgent({ model: chat(), tools });
  if (!isStreamed) return answerOf(agent, prompt);
  let text = "";
  const pieces = await agent.stream({ messages: userSays(prompt) }, { streamMode: "messages" });
  for await (const [chunk] of pieces) if (chunk.getType() === "ai") text += chunk.text;
  return text;
}

async function moderate() {
  const chain = new OpenAIModerationChain({ configuration, throwError: true });
  assert.equal((await chain.invoke({ input: "Good morning" })).output, "Good morning");
  await assert.rejects(chain.invoke({ input: rude }), /violates/);
  const middleware = [openAIModerationMiddleware({ model: chat() })];
  const agent = createAgent({ model: chat(), tools: [], middleware });
  assert.equal(await answerOf(agent, saying()), said);
  const prompt = `${rude} ${saying()}`;
  assert.match(await answerOf(agent, prompt), /flagged/);
  assert.equal(await timesAsked(prompt, "openai"), 0);
  // The answer is checked too.
  assert.match(await answerOf(agent, saying(rude)), /flagged/);
}

const features = featuresOf({
  ask,
  stream,
  statusOf: ({ status }) => status,
  objects: [readObject("jsonSchema"), readObject("jsonMode")],
  useTools,
  embed: (all) =>
    new OpenAIEmbeddings({ model: models.embedding, configuration }).embedDocuments(all),
  async draw(prompt) {
    const painter = new DallEAPIWrapper({
      model: models.image,
      dallEResponseFormat: "b64_json",
      baseUrl: baseURL,
    });
    const written = await painter.invoke(prompt);
    return Buffer.from(written.replace("data:image/png;base64,", ""), "base64");
  },
  askGuarded: (prompt, moderation) => ask(prompt, { modelKwargs: { moderation } }),
  own: { moderation: moderate },
});
await drive(["@langchain/openai", "langchain"], features);
