// The clients that are driven, in the order of the table, and what they are asked to do.

/** The features, in the order of the table's columns. `odd` is counted; the others are yes or no. */
export const FEATURES = {
  text: "an answer",
  stream: "a streamed answer",
  objects: "structured output by a schema, read by the client's own parser",
  tools: "tools over three steps, streamed where the client streams, also with calls without ids",
  embeddings: "150 texts in one call of the client",
  images: "a generated picture",
  speech: "spoken text",
  transcription: "a recording",
  moderation:
    "the moderation route, by the client's own means: method, chain, middleware, guardrail",
  guard: "the guard of a chat: a flagged prompt is reported or withheld",
  errors:
    "an unknown model, an engine that refuses, a quota that is used up: typed errors with a reason, and no useless repeat",
  odd: "the odd answers below",
};

const OPENAI_ADDRESS = "`OPENAI_BASE_URL=https://<gateway>/v1`";
const CLOUDFLARE_ADDRESS = "`CLOUDFLARE_BASE_URL=https://<gateway>/client/v4`";

/**
 * `program` is the language, the file or folder, and an argument: of Node the program's own, of Python
 * the list of packages. `address` says where the gateway's address goes; all else is as for the
 * client's own service.
 */
export const CLIENTS = [
  {
    name: "openai (Node)",
    program: ["node", "node/openai.mjs"],
    address: `${OPENAI_ADDRESS}, or \`baseURL\``,
  },
  {
    name: "openai (Python)",
    program: ["python", "python/openai_client.py"],
    address: `${OPENAI_ADDRESS}, or \`base_url\``,
  },
  {
    name: "openai (Go)",
    program: ["go", "go"],
    address: `${OPENAI_ADDRESS}, or \`option.WithBaseURL\``,
  },
  {
    name: "cloudflare (Node)",
    program: ["node", "node/cloudflare.mjs"],
    address: `${CLOUDFLARE_ADDRESS}, or \`baseURL\``,
  },
  {
    name: "cloudflare (Python)",
    program: ["python", "python/cloudflare_client.py"],
    address: `${CLOUDFLARE_ADDRESS}, or \`base_url\``,
  },
  {
    name: "AI SDK: openai (chat)",
    program: ["node", "node/ai-sdk.mjs", "chat"],
    address: "`createOpenAI({ baseURL })`, and `provider.chat(model)`",
  },
  {
    name: "AI SDK: openai-compatible",
    program: ["node", "node/ai-sdk.mjs", "compatible"],
    address: "`createOpenAICompatible({ baseURL, includeUsage: true })`",
  },
  {
    name: "AI SDK: workers-ai-provider",
    program: ["node", "node/ai-sdk.mjs", "workers-ai"],
    address: "a `fetch` that replaces `https://api.cloudflare.com/client/v4`, which is in its code",
  },
  {
    name: "LangChain openai (Node)",
    program: ["node", "node/langchain-openai.mjs"],
    address:
      "`configuration: { baseURL }`; without `streaming: true`, which counts tokens with a table from another host",
  },
  {
    name: "LangChain openai (Python)",
    program: ["python", "python/langchain_openai_client.py"],
    address: `${OPENAI_ADDRESS}, or \`base_url\`; embeddings with \`check_embedding_ctx_length=False\`, else it sends token ids`,
  },
  {
    name: "LangChain cloudflare (Node)",
    program: ["node", "node/langchain-cloudflare.mjs"],
    address: "`baseUrl: https://<gateway>/client/v4/accounts/<tenant>/ai/run`",
  },
  {
    name: "LangChain cloudflare (Python)",
    program: ["python", "python/langchain_cloudflare_client.py"],
    address:
      "`base_url` of chats, with `/client/v4`; `api_base_url` of the others, with `/accounts` too",
  },
  {
    name: "OpenAI Agents (Python)",
    program: ["python", "python/agents_client.py"],
    address: `${OPENAI_ADDRESS}, and \`OpenAIChatCompletionsModel\``,
  },
  {
    name: "Pydantic AI",
    program: ["python", "python/pydantic_ai_client.py"],
    address: "`OpenAIProvider(base_url)`, and `OpenAIChatModel`",
  },
  {
    name: "Instructor (Python)",
    program: ["python", "python/instructor_client.py", "requirements-instructor.txt"],
    address: OPENAI_ADDRESS,
  },
  {
    name: "LiteLLM (Python)",
    program: ["python", "python/litellm_client.py"],
    address: "`api_base`, and models as `openai/<model>`",
  },
];

/**
 * What does not work, and why. A test fails when one of these works after all, or when something else
 * does not. `feature` is a feature, or the name of an odd answer.
 *
 * @type {{ client: string, feature: string, because: string }[]}
 */
export const FAILING = [
  {
    client: "AI SDK: workers-ai-provider",
    feature: "whole: null content, filtered",
    because:
      "it shows a reason for ending that it does not know, such as `content_filter`, as `stop`.",
  },
  {
    client: "LangChain cloudflare (Node)",
    feature: "errors",
    because: "its errors have the status and the reply, and a message without the reply's reason.",
  },
  {
    client: "LangChain cloudflare (Node)",
    feature: "stream: the connection is lost",
    because:
      "it shows what came as the whole answer: it reads neither the error event nor the missing `[DONE]`.",
  },
  {
    client: "LangChain cloudflare (Python)",
    feature: "errors",
    because: "its errors have the status and the reply, and a message without the reply's reason.",
  },
  {
    client: "LangChain cloudflare (Python)",
    feature: "stream: the connection is lost",
    because:
      "it shows what came as the whole answer: it reads neither the error event nor the missing `[DONE]`.",
  },
];
