// Cloudflare's official client for Node. It reads its base URL and its token from the environment itself.
import assert from "node:assert/strict";
import Cloudflare, { APIError } from "cloudflare";
import { accountOf, drive, models, said, saying, userSays } from "./drive.mjs";
import { answerCalls, featuresOf, shownOf, WEATHER_FUNCTION, writingWeather } from "./features.mjs";

const client = new Cloudflare();
const account_id = accountOf().account;
const run = (model, inputs) => client.ai.run(model, { account_id, ...inputs });

async function ask(prompt, { model = models.chat, isSpent = false } = {}) {
  const messages = userSays(prompt);
  if (!isSpent) return shownOf(await run(model, { messages }));
  const { account, token } = accountOf(isSpent);
  const spent = new Cloudflare({ apiToken: token });
  return shownOf(await spent.ai.run(model, { account_id: account, messages }));
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

async function readObject() {
  const { choices } = await run(models.chat, {
    messages: userSays(writingWeather()),
    response_format: {
      type: "json_schema",
      json_schema: { type: "object", properties: { degrees: { type: "number" } } },
    },
  });
  return JSON.parse(choices[0].message.content);
}

const tools = [{ type: "function", function: WEATHER_FUNCTION }];
const useTools = (prompt, weather) =>
  answerCalls(prompt, weather, async (messages) => {
    const { choices } = await run(models.chat, { messages, tools });
    return choices[0].message;
  });

const features = featuresOf({
  service: "cloudflare",
  ask,
  stream,
  statusOf: (error) => (error instanceof APIError ? error.status : undefined),
  objects: [readObject],
  useTools,
  embed: async (text) => (await run(models.embedding, { text })).data,
  draw: async (prompt) => Buffer.from((await run(models.image, { prompt })).image, "base64"),
  async speak(text) {
    const spoken = await run("@cf/deepgram/aura-2-en", { text }).asResponse();
    return spoken.arrayBuffer();
  },
  hear: async (audio) => (await run(models.transcription, { audio: [...audio] })).text,
  own: {
    async text() {
      const older = await run(models.older_chat, { prompt: saying() });
      assert.equal(older.response, said);
    },
    stream: async () => assert.equal((await stream(saying(), models.older_chat)).text, said),
  },
});
await drive(["cloudflare"], features);
