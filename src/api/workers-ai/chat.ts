import * as v from "valibot";
import type { ChatMessage, ChatPart } from "../../engines/inference.ts";
import type { Picture } from "../../engines/picture.ts";
import { stated } from "../../http/field-errors.ts";
import { between } from "../field.ts";
import { chatFormRefused, withChatForms } from "../drop-in-body.ts";
import { seed, withExactSeed } from "../seed.ts";
import { effortHeaders, effortTaken, reasoningEffort } from "../reasoning-effort.ts";
import { image, readImage, type ReadPicture } from "../picture-input.ts";
import { hasLogprobs, hasTools, NEEDS_LOGPROBS, NEEDS_TOOLS, WholeFormat } from "../openai/chat.ts";
import { OlderMessages, toMessages } from "../openai/chat-messages.ts";
import { known, maxTokens, stopSequences } from "../openai/drop-in.ts";
import { tooManyLogprobs, topLogprobs } from "../openai/logprobs.ts";
import { parseInputs, type RunBody, type RunFailure } from "./envelope.ts";
import { isEmptyList, jsonObject, object, record } from "../object-input.ts";

// Text generation in the Workers AI drop-in: a prompt or messages, in the inputs of its older models
// and those of its newer ones, which speak OpenAI's.

const MAX_TOOLS = 128;

const shortName = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

const Declaration = object({
  name: shortName,
  description: v.exactOptional(v.string()),
  parameters: v.exactOptional(jsonObject),
  strict: v.exactOptional(v.boolean()),
});

/** Older models also take a tool without the wrapping. */
const Tool = v.union([object({ type: v.literal("function"), function: Declaration }), Declaration]);

const Fields = object({
  prompt: v.optional(v.pipe(v.string(), v.minLength(1))),
  messages: v.optional(OlderMessages),
  image: v.optional(image),
  stream: v.nullish(v.boolean(), false),
  max_tokens: v.nullish(maxTokens),
  max_completion_tokens: v.nullish(maxTokens),
  temperature: between(0, 5),
  top_p: between(0, 2),
  top_k: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000))),
  seed,
  repetition_penalty: between(0, 2),
  frequency_penalty: between(-2, 2),
  presence_penalty: between(-2, 2),
  tools: v.nullish(v.pipe(v.array(Tool), v.maxLength(MAX_TOOLS))),
  tool_choice: v.nullish(
    v.union([v.picklist(["none", "auto", "required"]), record(v.string(), v.unknown())]),
  ),
  parallel_tool_calls: v.nullish(v.boolean()),
  reasoning_effort: reasoningEffort,
  response_format: v.nullish(
    v.pipe(WholeFormat, v.description("`json_schema` may also be the bare schema.")),
  ),
  n: v.nullish(v.number(), 1),
  stop: stopSequences,
  chat_template_kwargs: v.nullish(
    v.pipe(
      jsonObject,
      v.description("`enable_thinking` alone: false is a `reasoning_effort` of `none`."),
    ),
  ),
  logprobs: v.nullish(
    v.pipe(v.boolean(), v.description("Where the engine reports them; else refused by name.")),
  ),
  top_logprobs: v.nullish(topLogprobs),
  logit_bias: known,
  function_call: known,
  audio: known,
  modalities: known,
  web_search_options: known,
  verbosity: known,
  raw: v.nullish(v.boolean(), false),
  lora: v.nullish(v.string()),
  functions: v.nullish(v.unknown()),
});

type ChatBody = v.InferOutput<typeof Fields>;

export const ChatInput = v.pipe(
  Fields,
  v.forward(v.check(stated<ChatBody>(NEEDS_LOGPROBS, hasLogprobs)), ["top_logprobs"]),
  v.forward(v.check(stated<ChatBody>(NEEDS_TOOLS, hasTools)), ["tool_choice"]),
);

export interface ChatRun {
  readonly kind: "task";
  readonly messages: readonly ChatMessage[];
  /** In OpenAI's form, whichever they came in. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly maxTokens: number | null;
  readonly stream: boolean;
  /** Whether the answer is to be given as the JSON that it is. */
  readonly asJson: boolean;
  /** What was asked for and is done otherwise, for the reply's headers. */
  readonly taken: Readonly<Record<string, string>>;
}

export function readChat(body: RunBody): ChatRun | RunFailure {
  const mended: RunBody =
    body.kind === "json" ? { ...body, value: withChatForms(body.value) } : body;
  const form = mended.kind === "json" ? chatFormRefused(mended.value) : null;
  if (form !== null) return { kind: "invalid_request", errors: [form] };
  const parsed = parseInputs(ChatInput, mended);
  if (parsed.kind !== "parsed") return parsed;
  const { inputs } = parsed;
  const refused = refusedIn(inputs);
  if (refused !== null) return refused;
  const messages =
    inputs.messages === undefined ? promptOf(inputs.prompt) : toMessages(inputs.messages);
  if (messages === null) {
    return {
      kind: "invalid_request",
      errors: [{ path: ["prompt"], detail: "is required, or messages" }],
    };
  }
  const json = body.kind === "json" ? body.json : null;
  const seeded = withExactSeed(parametersOf(inputs), inputs.seed, json);
  if (seeded.kind !== "read") return seeded;
  const read = inputs.image === undefined ? null : readImage(inputs.image);
  if (read !== null && read.kind !== "picture") return read;
  return {
    kind: "task",
    messages: read === null ? messages : withPicture(messages, read),
    parameters: seeded.parameters,
    maxTokens: maxTokensOf(inputs),
    stream: inputs.stream,
    taken: effortHeaders(inputs.reasoning_effort),
    asJson: ["json_object", "json_schema"].includes(inputs.response_format?.type ?? ""),
  };
}

const refuse = (parameter: string, detail: string): RunFailure => ({
  kind: "unsupported_parameter",
  parameter,
  detail: `${parameter}: ${detail}`,
});

const IN_TEXT = "a chat is answered in text.";

/** Fields of OpenAI's form, which newer models have: when they ask for what is not done. */
const OPENAI_FIELDS: readonly (readonly [
  parameter: keyof ChatBody,
  isAsked: (value: unknown) => boolean,
  detail: string,
])[] = [
  [
    "logit_bias",
    (value) => Object.keys(Object(value)).length > 0,
    "token ids are each model's own.",
  ],
  [
    "function_call",
    (value) => value !== "none" && value !== "auto",
    "use tool_choice, which took its place.",
  ],
  ["audio", () => true, IN_TEXT],
  [
    "modalities",
    (value) => !Array.isArray(value) || value.some((item) => item !== "text"),
    IN_TEXT,
  ],
  ["web_search_options", () => true, "nothing is searched here."],
  ["verbosity", (value) => value !== "medium", "no model here has one; medium changes nothing."],
  [
    "chat_template_kwargs",
    (value) =>
      Object.entries(Object(value)).some(
        ([name, is]) => name !== "enable_thinking" || typeof is !== "boolean",
      ),
    "enable_thinking, true or false, is all that is taken.",
  ],
];

/** Parameters that would change the answer if they were ignored. */
function refusedIn(body: ChatBody): RunFailure | null {
  const found = OPENAI_FIELDS.find(([parameter, isAsked]) => {
    const value = body[parameter];
    return value !== null && value !== undefined && isAsked(value);
  });
  if (found !== undefined) return refuse(found[0], found[2]);
  const { raw, lora, functions, n } = body;
  if (raw) return refuse("raw", "the model's own template is always used.");
  if (lora !== null && lora !== undefined) return refuse("lora", "fine-tunes are not run here.");
  if (functions !== null && functions !== undefined && !isEmptyList(functions)) {
    return refuse("functions", "use tools, which took their place.");
  }
  if (n !== 1) return refuse("n", "one answer is given.");
  const { logprobs, top_logprobs: top, stream } = body;
  return logprobs === true
    ? tooManyLogprobs({ top: top ?? 0, maxTokens: maxTokensOf(body), stream })
    : null;
}

const maxTokensOf = (body: ChatBody): number | null =>
  body.max_tokens ?? body.max_completion_tokens ?? null;

const promptOf = (prompt: string | undefined): readonly ChatMessage[] | null =>
  prompt === undefined ? null : [{ role: "user", content: prompt }];

/** Older vision models take one picture beside the messages: it belongs to the last that asks. */
function withPicture(
  messages: readonly ChatMessage[],
  { picture }: Extract<ReadPicture, { kind: "picture" }>,
): readonly ChatMessage[] {
  const last = messages.findLastIndex(({ role }) => role === "user");
  const part = { type: "image_url", image_url: { url: dataUri(picture) } } as const;
  if (last === -1) return [...messages, { role: "user", content: [part] }];
  return messages.map((message, at) =>
    at === last ? { ...message, content: [...partsOf(message), part] } : message,
  );
}

const dataUri = ({ bytes, format }: Picture): string =>
  `data:image/${format};base64,${bytes.toBase64()}`;

const partsOf = ({ content }: ChatMessage): readonly ChatPart[] =>
  typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);

/** Those that cost nothing beyond what is held. */
const PASSED_ON = [
  "temperature",
  "top_p",
  "top_k",
  "seed",
  "repetition_penalty",
  "frequency_penalty",
  "presence_penalty",
  "stop",
  "reasoning_effort",
  "logprobs",
  "top_logprobs",
] as const satisfies readonly (keyof ChatBody)[];

function parametersOf(body: ChatBody): Readonly<Record<string, unknown>> {
  const { tools, tool_choice, parallel_tool_calls, response_format: format } = body;
  const isSilent = body.chat_template_kwargs?.["enable_thinking"] === false;
  const effort = body.reasoning_effort ?? (isSilent ? "none" : null);
  const taken = {
    ...body,
    stop: isEmptyList(body.stop) ? undefined : body.stop,
    reasoning_effort: effort === null ? undefined : effortTaken(effort),
    logprobs: body.logprobs === true ? true : undefined,
    top_logprobs: (body.top_logprobs ?? 0) > 0 ? body.top_logprobs : undefined,
  };
  const plain = PASSED_ON.map((name) => [name, taken[name]] as const);
  const declared =
    tools && tools.length > 0
      ? {
          tools: tools.map((tool) =>
            "function" in tool ? tool : { type: "function", function: tool },
          ),
          tool_choice,
          parallel_tool_calls,
        }
      : {};
  const all = [...plain, ...Object.entries({ ...declared, response_format: format })];
  return Object.fromEntries(all.filter(([, value]) => value !== undefined && value !== null));
}
