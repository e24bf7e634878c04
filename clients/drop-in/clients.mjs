// The clients that are driven, in the order of the table, and what they are asked to do.

/** The features, in the order of the table's columns. `odd` is counted; the others are yes or no. */
export const FEATURES = {
  text: "an answer",
  stream: "a streamed answer",
  objects: "structured output by a schema, read by the client's own parser",
  tools: "tools over three steps, streamed where the client streams, also with calls without ids",
  responses:
    "the Responses API beside chats: a stream, an object, tools over three kept turns, retrieval, deletion",
  embeddings: "150 texts in one call of the client",
  images: "a generated picture",
  speech: "spoken text",
  transcription: "a recording, with OpenAI's own clients also as a stream of events",
  moderation:
    "the moderation route, by the client's own means: method, chain, middleware, guardrail",
  guard: "the guard of a chat: a flagged prompt is reported or withheld",
  errors:
    "an unknown model, an engine that refuses (asked once), a quota that is used up: typed errors with a reason",
  odd: "the odd answers below",
};

const OPENAI_ADDRESS = "`OPENAI_BASE_URL=https://<gateway>/v1`";
const CLOUDFLARE_ADDRESS = "`CLOUDFLARE_BASE_URL=https://<gateway>/client/v4`";

/**
 * `file` is the program (in Go its folder), with its `args`; `packages` is Python's list of them.
 * `address` says where the gateway's address goes; all else is as for the client's own service.
 *
 * @type {{
 *   name: string, language: "node" | "python" | "go", file: string, args?: string[], packages?: string,
 *   address: string,
 * }[]}
 */
export const CLIENTS = [
  {
    name: "openai (Node)",
    language: "node",
    file: "node/openai.mjs",
    address: `${OPENAI_ADDRESS}, or \`baseURL\``,
  },
  {
    name: "openai (Python)",
    language: "python",
    file: "python/openai_client.py",
    address: `${OPENAI_ADDRESS}, or \`base_url\``,
  },
  {
    name: "openai (Go)",
    language: "go",
    file: "go",
    address: `${OPENAI_ADDRESS}, or \`option.WithBaseURL\``,
  },
  {
    name: "cloudflare (Node)",
    language: "node",
    file: "node/cloudflare.mjs",
    address: `${CLOUDFLARE_ADDRESS}, or \`baseURL\``,
  },
  {
    name: "cloudflare (Python)",
    language: "python",
    file: "python/cloudflare_client.py",
    address: `${CLOUDFLARE_ADDRESS}, or \`base_url\``,
  },
  {
    name: "AI SDK: openai (chat)",
    language: "node",
    file: "node/ai-sdk.mjs",
    args: ["chat"],
    address: "`createOpenAI({ baseURL })`, and `provider.chat(model)`",
  },
  {
    name: "AI SDK: openai (responses)",
    language: "node",
    file: "node/ai-sdk.mjs",
    args: ["responses"],
    address: "`createOpenAI({ baseURL })`",
  },
  {
    name: "AI SDK: openai-compatible",
    language: "node",
    file: "node/ai-sdk.mjs",
    args: ["compatible"],
    address: "`createOpenAICompatible({ baseURL, includeUsage: true })`",
  },
  {
    name: "AI SDK: workers-ai-provider",
    language: "node",
    file: "node/ai-sdk.mjs",
    args: ["workers-ai"],
    address: "a `fetch` that replaces `https://api.cloudflare.com/client/v4`, which is in its code",
  },
  {
    name: "LangChain openai (Node)",
    language: "node",
    file: "node/langchain-openai.mjs",
    address:
      "`configuration: { baseURL }`; without `streaming: true`, which counts tokens with a table from another host",
  },
  {
    name: "LangChain openai (Node, responses)",
    language: "node",
    file: "node/langchain-openai.mjs",
    args: ["responses"],
    address: "`configuration: { baseURL }`, and `useResponsesApi: true`",
  },
  {
    name: "LangChain openai (Python)",
    language: "python",
    file: "python/langchain_openai_client.py",
    address: `${OPENAI_ADDRESS}, or \`base_url\`; embeddings with \`check_embedding_ctx_length=False\`, else it sends token ids`,
  },
  {
    name: "LangChain openai (Python, responses)",
    language: "python",
    file: "python/langchain_openai_client.py",
    args: ["responses"],
    address: `${OPENAI_ADDRESS}, or \`base_url\`, and \`use_responses_api=True\``,
  },
  {
    name: "LangChain cloudflare (Node)",
    language: "node",
    file: "node/langchain-cloudflare.mjs",
    address: "`baseUrl: https://<gateway>/client/v4/accounts/<tenant>/ai/run`",
  },
  {
    name: "LangChain cloudflare (Python)",
    language: "python",
    file: "python/langchain_cloudflare_client.py",
    address:
      "`base_url` of chats, with `/client/v4`; `api_base_url` of the others, with `/accounts` too",
  },
  {
    name: "OpenAI Agents (Python)",
    language: "python",
    file: "python/agents_client.py",
    address: `${OPENAI_ADDRESS}, and \`OpenAIChatCompletionsModel\``,
  },
  {
    name: "OpenAI Agents (Python, responses)",
    language: "python",
    file: "python/agents_client.py",
    args: ["responses"],
    address: OPENAI_ADDRESS,
  },
  {
    name: "Pydantic AI",
    language: "python",
    file: "python/pydantic_ai_client.py",
    address: "`OpenAIProvider(base_url)`, and `OpenAIChatModel`",
  },
  {
    name: "Pydantic AI (responses)",
    language: "python",
    file: "python/pydantic_ai_client.py",
    args: ["responses"],
    address: "`OpenAIProvider(base_url)`, and `OpenAIResponsesModel`",
  },
  {
    name: "Instructor (Python)",
    language: "python",
    file: "python/instructor_client.py",
    packages: "requirements-instructor.txt",
    address: OPENAI_ADDRESS,
  },
  {
    name: "LiteLLM (Python)",
    language: "python",
    file: "python/litellm_client.py",
    address: "`api_base`, and models as `openai/<model>`",
  },
];

/** The streams that end with an error event. */
const LOST = ["stream: no choices", "stream: an error event", "stream: the connection is lost"];

/**
 * What does not work, and why. A test fails when one of these works after all, or when something else
 * does not. `feature` is a feature, or the name of an odd answer.
 *
 * @type {{ client: string, feature: string, because: string }[]}
 */
export const FAILING = [
  ...["whole: null content, filtered", "stream: null content, filtered"].map((feature) => ({
    client: "AI SDK: workers-ai-provider",
    feature,
    because:
      "it shows a reason for ending that it does not know, such as `content_filter`, as `stop`.",
  })),
  ...LOST.map((feature) => ({
    client: "LangChain openai (Node, responses)",
    feature,
    because: "it shows what came as the whole answer: it does not read `response.failed`.",
  })),
  ...["LangChain cloudflare (Node)", "LangChain cloudflare (Python)"].flatMap((client) => [
    {
      client,
      feature: "errors",
      because:
        "its errors have the status and the reply, and a message without the reply's reason.",
    },
    ...LOST.map((feature) => ({
      client,
      feature,
      because:
        "it shows what came as the whole answer: it reads neither the error event nor the missing `[DONE]`.",
    })),
  ]),
];
