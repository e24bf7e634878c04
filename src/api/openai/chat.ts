import * as v from "valibot";
import type { RequestFailure } from "../../domain/ledger/failure.ts";
import { stated } from "../../http/field-errors.ts";
import { between, policyName } from "../field.ts";
import {
  choiceCount,
  known,
  maxTokens,
  modelName,
  personFields,
  stopSequences,
  streamOptions,
  toolName,
  unusedFields,
} from "./drop-in.ts";
import { ModerationField } from "./chat-moderation.ts";
import { Messages } from "./chat-messages.ts";
import { tooManyLogprobs, topLogprobs } from "./logprobs.ts";
import { seed } from "../seed.ts";
import { effortHeaders, effortTaken, reasoningEffort } from "../reasoning-effort.ts";
import { isEmptyList, jsonObject, object, orEmptyList, strictObject } from "../object-input.ts";

// OpenAI's chat completions as its clients ask for them. Fields that nobody here knows are ignored,
// as the original does; fields that it knows and we cannot honour are refused where ignoring them
// would give something else than was asked for (see `REFUSED`).
// https://platform.openai.com/docs/api-reference/chat/create

/** OpenAI's own limit. */
const MAX_TOOLS = 128;

const Tool = v.variant("type", [
  object({
    type: v.literal("function"),
    function: object({
      name: toolName,
      description: v.exactOptional(v.string()),
      parameters: v.exactOptional(jsonObject),
      strict: v.exactOptional(v.nullable(v.boolean())),
    }),
  }),
]);

const ToolChoice = v.union([
  v.picklist(["none", "auto", "required"]),
  v.variant("type", [
    object({ type: v.literal("function"), function: object({ name: toolName }) }),
  ]),
]);

const Schema = object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  description: v.exactOptional(v.string()),
  schema: v.exactOptional(jsonObject),
  strict: v.exactOptional(v.nullable(v.boolean())),
});

const formats = <S extends v.GenericSchema>(schema: S) =>
  v.variant("type", [
    object({ type: v.literal("text") }),
    object({ type: v.literal("json_object") }),
    object({ type: v.literal("json_schema"), json_schema: schema }),
  ]);

const ResponseFormat = formats(Schema);

/** One that cannot ask for a schema without having one. */
export const WholeFormat = formats(object({ ...Schema.entries, schema: jsonObject }));

const Fields = object({
  model: modelName,
  messages: Messages,
  max_completion_tokens: v.nullish(maxTokens),
  max_tokens: v.nullish(maxTokens),
  n: choiceCount,
  stream: v.nullish(v.boolean(), false),
  stream_options: streamOptions,
  tools: v.nullish(v.pipe(v.array(Tool), v.maxLength(MAX_TOOLS))),
  tool_choice: v.nullish(ToolChoice),
  parallel_tool_calls: v.nullish(v.boolean()),
  response_format: v.nullish(ResponseFormat),
  temperature: between(0, 2),
  top_p: between(0, 1),
  presence_penalty: between(-2, 2),
  frequency_penalty: between(-2, 2),
  seed,
  stop: stopSequences,
  reasoning_effort: reasoningEffort,
  store: v.nullish(
    v.pipe(v.boolean(), v.description("Nothing is: `x-neurogate-store: false` says so.")),
  ),
  ...personFields,
  ...unusedFields,
  metadata: v.pipe(known, v.description("Taken, and not kept.")),
  prediction: v.pipe(known, v.description("Taken: it would only make an answer come sooner.")),
  verbosity: v.pipe(
    known,
    v.description("`medium` changes nothing; any other is refused: no model here has one."),
  ),
  logprobs: v.nullish(
    v.pipe(v.boolean(), v.description("Where the engine reports them; else refused by name.")),
  ),
  top_logprobs: v.nullish(topLogprobs),
  logit_bias: known,
  functions: known,
  function_call: known,
  audio: known,
  modalities: known,
  web_search_options: known,
  input: known,
  text: known,
  instructions: known,
  max_output_tokens: known,
  previous_response_id: known,
  moderation: ModerationField,
  neurogate: v.optional(
    orEmptyList(
      strictObject({
        policy: v.optional(v.pipe(policyName, v.description("Which of the policies guards this."))),
      }),
    ),
  ),
});

export type ChatBody = v.InferOutput<typeof Fields>;

/** All of a chat but its model, which a session may have. */
export type ChatOptions = Omit<ChatBody, "model">;

const isOnlyStreamed = ({ stream, stream_options }: ChatOptions): boolean =>
  stream || stream_options?.include_usage !== true;
const ONLY_STREAMED = "must be absent without stream: true";

export const hasTools = ({
  tools,
  tool_choice,
}: {
  readonly tools?: readonly unknown[] | null | undefined;
  readonly tool_choice?: unknown;
}): boolean => isAbsent(tool_choice) || tool_choice === "none" || isGiven(tools);
export const NEEDS_TOOLS = "needs tools";

export const hasLogprobs = ({
  logprobs,
  top_logprobs,
}: Pick<ChatOptions, "logprobs" | "top_logprobs">): boolean =>
  logprobs === true || (top_logprobs ?? 0) === 0;
export const NEEDS_LOGPROBS = "must be absent or 0 without logprobs: true";

export const ChatInput = v.pipe(
  Fields,
  v.forward(v.check(stated<ChatBody>(NEEDS_LOGPROBS, hasLogprobs)), ["top_logprobs"]),
  v.forward(v.check(stated<ChatBody>(ONLY_STREAMED, isOnlyStreamed)), ["stream_options"]),
  v.forward(v.check(stated<ChatBody>(NEEDS_TOOLS, hasTools)), ["tool_choice"]),
);

const SessionFields = object({ ...Fields.entries, model: v.optional(modelName) });

type SessionChatBody = v.InferOutput<typeof SessionFields>;

/** As a message of a session: without a model, the session's own answers. */
export const SessionChatInput = v.pipe(
  SessionFields,
  v.forward(v.check(stated<SessionChatBody>(NEEDS_LOGPROBS, hasLogprobs)), ["top_logprobs"]),
  v.forward(v.check(stated<SessionChatBody>(ONLY_STREAMED, isOnlyStreamed)), ["stream_options"]),
  v.forward(v.check(stated<SessionChatBody>(NEEDS_TOOLS, hasTools)), ["tool_choice"]),
);

const isAbsent = (value: unknown): boolean => value === null || value === undefined;
const isGiven = (list: readonly unknown[] | null | undefined): boolean => (list ?? []).length > 0;

type Refused = Extract<RequestFailure, { kind: "unsupported_parameter" }>;

/** Parameters that would leave something out, or change the answer, if they were ignored. */
const REFUSED: readonly {
  readonly parameter: keyof ChatOptions;
  readonly asks?: (value: unknown) => boolean;
  readonly detail: string;
}[] = [
  {
    parameter: "logit_bias",
    asks: (value) => typeof value === "object" && value !== null && Object.keys(value).length > 0,
    detail: "logit_bias: token ids are each model's own, and OpenAI's mean nothing here.",
  },
  {
    parameter: "functions",
    asks: (value) => !Array.isArray(value) || value.length > 0,
    detail: "functions: use tools, which took their place.",
  },
  {
    parameter: "function_call",
    asks: (value) => value !== "none" && value !== "auto",
    detail: "function_call: use tool_choice, which took its place.",
  },
  { parameter: "audio", detail: "audio: a chat is answered in text." },
  {
    parameter: "modalities",
    asks: (value) => !Array.isArray(value) || value.some((item) => item !== "text"),
    detail: "modalities: a chat is answered in text.",
  },
  {
    parameter: "verbosity",
    asks: (value) => value !== "medium",
    detail: "verbosity: no model here has one; medium changes nothing.",
  },
  { parameter: "web_search_options", detail: "web_search_options: nothing is searched here." },
  {
    parameter: "text",
    detail: "text: a chat has response_format and verbosity in its place.",
  },
  { parameter: "input", detail: "input: a chat has messages in its place." },
  {
    parameter: "instructions",
    detail: "instructions: a chat has a message of the role system in their place.",
  },
  {
    parameter: "max_output_tokens",
    detail: "max_output_tokens: a chat has max_completion_tokens in its place.",
  },
  {
    parameter: "previous_response_id",
    detail: "previous_response_id: a chat has no such field; POST /v1/responses has.",
  },
];

/** The first parameter that cannot be honoured and must not be ignored; null: there is none. */
export function refusedIn(body: ChatOptions): Refused | ReturnType<typeof tooManyLogprobs> {
  const found = REFUSED.find(({ parameter, asks = () => true }) => {
    const value = body[parameter];
    return !isAbsent(value) && asks(value);
  });
  if (found === undefined) return body.logprobs === true ? tooMany(body) : null;
  const { parameter, detail } = found;
  return { kind: "unsupported_parameter", parameter, detail };
}

const tooMany = (body: ChatOptions): ReturnType<typeof tooManyLogprobs> =>
  tooManyLogprobs({
    top: body.top_logprobs ?? 0,
    maxTokens: maxTokensOf(body),
    stream: body.stream,
  });

/** Those that are known to cost nothing beyond what is held: no engine sees any other. */
const PASSED_ON = [
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "response_format",
  "temperature",
  "top_p",
  "presence_penalty",
  "frequency_penalty",
  "seed",
  "stop",
  "reasoning_effort",
] as const satisfies readonly (keyof ChatOptions)[];

/** What is said besides the messages, in OpenAI's form; what is absent or says nothing is left out. */
export function parametersOf(body: ChatOptions): Readonly<Record<string, unknown>> {
  const given = PASSED_ON.filter((name) => !isAbsent(body[name]) && !isEmptyList(body[name]));
  const parameters: Record<string, unknown> = Object.fromEntries(
    given.map((name) => [name, body[name]]),
  );
  const { reasoning_effort: effort } = body;
  if (effort !== null && effort !== undefined) parameters["reasoning_effort"] = effortTaken(effort);
  if (body.logprobs === true) {
    parameters["logprobs"] = true;
    if ((body.top_logprobs ?? 0) > 0) parameters["top_logprobs"] = body.top_logprobs;
  }
  if (isGiven(body.tools)) return parameters;
  const {
    tools: _none,
    tool_choice: _choice,
    parallel_tool_calls: _parallel,
    ...rest
  } = parameters;
  return rest;
}

/** What was asked for and is done otherwise, where that does no harm: for the reply's headers. */
export const takenHeaders = (body: ChatOptions): Record<string, string> => ({
  ...effortHeaders(body.reasoning_effort),
  ...(body.store === true && { "x-neurogate-store": "false" }),
});

/** As the caller gave it; null: the tenant's default. */
export const maxTokensOf = (body: ChatOptions): number | null =>
  body.max_completion_tokens ?? body.max_tokens ?? null;
