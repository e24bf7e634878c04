// Cloudflare's official client for Node. It reads its base URL and its token from the environment itself.
import assert from "node:assert/strict";
import Cloudflare, { APIError } from "cloudflare";
import {
  askingForWeather,
  assertErrors,
  assertVectors,
  drive,
  heard,
  models,
  oddAnswers,
  recording,
  said,
  saying,
  texts,
} from "./drive.mjs";

const { env } = process;
const client = new Cloudflare();
const account_id = env.CLOUDFLARE_ACCOUNT_ID;
const userSays = (content) => [{ role: "user", content }];
const run = (model, inputs) => client.ai.run(model, { account_id, ...inputs });

function shownOf(result) {
  const choice = result.choices[0];
  const { usage } = result;
  return {
    text: choice.message.content ?? "",
    finish: choice.finish_reason,
    usage: usage && [usage.prompt_tokens, usage.completion_tokens],
    reasoning: usage?.completion_tokens_details?.reasoning_tokens,
  };
}

async function ask(prompt, { model = models.chat, isSpent = false } = {}) {
  const inputs = { messages: userSays(prompt) };
  if (!isSpent) return shownOf(await run(model, inputs));
  const spent = new Cloudflare({ apiToken: env.SPENT_API_TOKEN });
  return shownOf(await spent.ai.run(model, { account_id: env.SPENT_ACCOUNT_ID, ...inputs }));
}

/** Events as a browser reads them: the client itself returns the body. */
async function stream(prompt, model = models.chat) {
  const asking = run(model, { messages: userSays(prompt), stream: true });
  const body = await (await asking.asResponse()).text();
  const shown = { text: "", finish: undefined, usage: undefined, reasoning: undefined };
  const events = body.split("\n\n").filter((event) => event.startsWith("data: "));
  const last = events.pop();
  assert.equal(last, "data: [DONE]");
  for (const event of events) {
    const { response, choices, usage } = JSON.parse(event.slice(6));
    shown.text += response ?? choices?.[0]?.delta.content ?? "";
    shown.finish = choices?.[0]?.finish_reason ?? shown.finish;
    if (usage) shown.usage = [usage.prompt_tokens, usage.completion_tokens];
    shown.reasoning = usage?.completion_tokens_details?.reasoning_tokens ?? shown.reasoning;
  }
  return shown;
}

await drive(["cloudflare"], {
  async text() {
    assert.deepEqual((await ask(saying())).text, said);
    const older = await run(models.older_chat, { prompt: saying() });
    assert.equal(older.response, said);
  },

  async stream() {
    assert.equal((await stream(saying())).text, said);
    assert.equal((await stream(saying(), models.older_chat)).text, said);
  },

  async objects() {
    const weather = { city: "Paris", degrees: 24 };
    const result = await run(models.chat, {
      messages: userSays(saying(JSON.stringify(weather))),
      response_format: {
        type: "json_schema",
        json_schema: { type: "object", properties: { city: { type: "string" } } },
      },
    });
    assert.deepEqual(JSON.parse(result.choices[0].message.content), weather);
  },

  async tools() {
    const messages = userSays(askingForWeather());
    const parameters = { type: "object", properties: { city: { type: "string" } } };
    const tools = [{ type: "function", function: { name: "get_weather", parameters } }];
    const cities = [];
    for (let step = 0; step < 2; step += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { choices } = await run(models.chat, { messages, tools });
      const { message } = choices[0];
      const [call] = message.tool_calls;
      cities.push(JSON.parse(call.function.arguments).city);
      messages.push(message, { role: "tool", tool_call_id: call.id, content: "24 degrees" });
    }
    const { choices } = await run(models.chat, { messages, tools });
    assert.deepEqual([choices[0].message.content, cities], [said, ["Paris", "Rome"]]);
  },

  async embeddings() {
    const { data } = await run(models.embedding, { text: texts(150) });
    assertVectors(data, 150);
  },

  async images() {
    const { image } = await run(models.image, { prompt: "A red boat" });
    assert.ok(image.startsWith("/9j/"), "a JPEG");
  },

  async speech() {
    const asking = run("@cf/deepgram/aura-2-en", { text: "Hello" });
    const spoken = await asking.asResponse();
    assert.ok((await spoken.arrayBuffer()).byteLength > 400);
  },

  async transcription() {
    const result = await run(models.transcription, { audio: [...recording()] });
    assert.equal(result.text, heard);
  },

  async errors() {
    await assertErrors({
      ask,
      statusOf: (error) => (error instanceof APIError ? error.status : undefined),
      upstream: env.CLOUDFLARE_UPSTREAM_URL,
    });
  },

  odd: oddAnswers({ ask, stream }),
});
