// LangChain for Cloudflare in Node: it reads the answers of Workers AI's older models.
import assert from "node:assert/strict";
import { ChatCloudflareWorkersAI, CloudflareWorkersAI } from "@langchain/cloudflare";
import { accountOf, drive, models, said, saying } from "./drive.mjs";
import { featuresOf } from "./features.mjs";

const addressOf = (account) => `${process.env.CLOUDFLARE_BASE_URL}/accounts/${account}/ai/run`;

function chat({ model = models.older_chat, isSpent = false } = {}) {
  const { account, token } = accountOf(isSpent);
  return new ChatCloudflareWorkersAI({
    model,
    cloudflareAccountId: account,
    cloudflareApiToken: token,
    baseUrl: addressOf(account),
    maxRetries: 1,
  });
}

async function stream(prompt) {
  let text = "";
  for await (const chunk of await chat().stream(prompt)) text += chunk.text;
  return { text };
}

const features = featuresOf({
  service: "cloudflare",
  isOlder: true,
  ask: async (prompt, options) => ({ text: (await chat(options).invoke(prompt)).content }),
  stream,
  shows: ["text"],
  statusOf: ({ response }) => response?.status,
  own: {
    async stream() {
      const baseUrl = addressOf(accountOf().account);
      const llm = new CloudflareWorkersAI({ model: models.older_chat, baseUrl });
      let text = "";
      for await (const chunk of await llm.stream(saying())) text += chunk;
      assert.equal(text, said);
    },
  },
});
await drive(["@langchain/cloudflare"], features);
