// LangChain for Cloudflare in Node: it reads the answers of Workers AI's older models.
import assert from "node:assert/strict";
import { ChatCloudflareWorkersAI, CloudflareWorkersAI } from "@langchain/cloudflare";
import { assertErrors, drive, models, oddAnswers, said, saying } from "./drive.mjs";

const { env } = process;

const addressOf = (account) => `${env.CLOUDFLARE_BASE_URL}/accounts/${account}/ai/run`;

function chat({ model = models.older_chat, isSpent = false, ...more } = {}) {
  const account = isSpent ? env.SPENT_ACCOUNT_ID : env.CLOUDFLARE_ACCOUNT_ID;
  return new ChatCloudflareWorkersAI({
    model,
    cloudflareAccountId: account,
    cloudflareApiToken: isSpent ? env.SPENT_API_TOKEN : env.CLOUDFLARE_API_TOKEN,
    baseUrl: addressOf(account),
    maxRetries: 1,
    ...more,
  });
}

const ask = async (prompt, options) => ({ text: (await chat(options).invoke(prompt)).content });

async function stream(prompt) {
  let text = "";
  for await (const chunk of await chat().stream(prompt)) text += chunk.text;
  return { text };
}

await drive(["@langchain/cloudflare"], {
  async text() {
    assert.equal((await ask(saying())).text, said);
  },

  async stream() {
    assert.equal((await stream(saying())).text, said);
    const llm = new CloudflareWorkersAI({
      model: models.older_chat,
      baseUrl: addressOf(env.CLOUDFLARE_ACCOUNT_ID),
    });
    let text = "";
    for await (const chunk of await llm.stream(saying())) text += chunk;
    assert.equal(text, said);
  },

  async errors() {
    await assertErrors({
      ask,
      statusOf: ({ response }) => response?.status,
      upstream: env.CLOUDFLARE_UPSTREAM_URL,
    });
  },

  odd: oddAnswers({ ask, stream, isOlder: true }),
});
