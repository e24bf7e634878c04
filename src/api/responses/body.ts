import * as v from "valibot";
import type { FieldError, RequestFailure } from "../../domain/ledger/failure.ts";
import { stated } from "../../http/field-errors.ts";
import { between, policyName } from "../field.ts";
import { ModerationField } from "../openai/chat-moderation.ts";
import {
  known,
  maxTokens,
  modelName,
  obfuscation,
  personFields,
  unusedFields,
  withoutEffect,
} from "../openai/drop-in.ts";
import { effortTaken, reasoningEffort } from "../reasoning-effort.ts";
import { Input, unservedInput } from "./input-items.ts";
import {
  isEmptyList,
  jsonObject,
  object,
  orEmptyList,
  record,
  strictObject,
} from "../object-input.ts";
import { type FunctionTool, isServedTool, Tool, ToolChoice } from "./tools.ts";

// The body of POST /v1/responses, and how it is asked of a chat. Fields that nobody here knows are ignored,
// as the original does; fields that it knows and we cannot honour are refused by name.

/** OpenAI's own limits. */
const MAX_TOOLS = 128;
const MAX_METADATA = 16;
const MAX_METADATA_KEY = 64;
const MAX_METADATA_VALUE = 512;

export const TextFormat = v.variant("type", [
  object({ type: v.literal("text") }),
  object({ type: v.literal("json_object") }),
  object({
    type: v.literal("json_schema"),
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
    description: v.exactOptional(v.string()),
    schema: jsonObject,
    strict: v.exactOptional(v.nullable(v.boolean())),
  }),
]);

export const Metadata = v.pipe(
  record(
    v.pipe(v.string(), v.maxLength(MAX_METADATA_KEY)),
    v.pipe(v.string(), v.maxLength(MAX_METADATA_VALUE)),
  ),
  v.maxEntries(MAX_METADATA),
);

/** What OpenAI knows; of what there is nothing here, nothing is included. */
const INCLUDES = [
  "code_interpreter_call.outputs",
  "computer_call_output.output.image_url",
  "file_search_call.results",
  "message.input_image.image_url",
  "message.output_text.logprobs",
  "reasoning.encrypted_content",
  "web_search_call.action.sources",
  "web_search_call.results",
] as const;

const Fields = object({
  model: modelName,
  input: Input,
  instructions: v.nullish(
    v.pipe(v.string(), v.description("Of this response alone: the next one does not have them.")),
  ),
  previous_response_id: v.nullish(
    v.pipe(
      v.string(),
      v.maxLength(64),
      v.description("A kept response, whose conversation is continued. Several may continue one."),
    ),
  ),
  store: v.nullish(
    v.pipe(
      v.boolean(),
      v.description("Whether it is kept for `response_retention_s`. Absent: it is."),
    ),
    true,
  ),
  stream: v.nullish(v.boolean(), false),
  max_output_tokens: v.nullish(maxTokens),
  tools: v.nullish(v.pipe(v.array(Tool), v.maxLength(MAX_TOOLS))),
  tool_choice: v.nullish(ToolChoice),
  parallel_tool_calls: v.nullish(v.boolean()),
  text: v.nullish(
    orEmptyList(
      object({
        format: v.nullish(TextFormat),
        verbosity: v.nullish(v.picklist(["low", "medium", "high"])),
      }),
    ),
  ),
  reasoning: v.nullish(
    orEmptyList(
      object({
        effort: reasoningEffort,
        summary: v.pipe(
          known,
          v.description("A model's reasoning is given whole, never as a summary."),
        ),
        generate_summary: v.pipe(known, v.description("The older name of `summary`.")),
        context: known,
        mode: known,
      }),
    ),
  ),
  temperature: between(0, 2),
  top_p: between(0, 1),
  metadata: v.nullish(orEmptyList(Metadata)),
  include: v.nullish(v.array(v.picklist(INCLUDES))),
  truncation: v.nullish(v.picklist(["auto", "disabled"])),
  ...personFields,
  ...unusedFields,
  access_programs: withoutEffect,
  background_options: withoutEffect,
  image: v.pipe(known, v.description("Taken: a picture is shown to the model as it is.")),
  max_tool_calls: v.pipe(known, v.description("Taken: it counts tools that are not served here.")),
  stream_options: v.nullish(orEmptyList(object({ include_obfuscation: obfuscation }))),
  moderation: ModerationField,
  neurogate: v.optional(
    orEmptyList(
      strictObject({
        policy: v.optional(v.pipe(policyName, v.description("Which of the policies guards this."))),
      }),
    ),
  ),
  background: known,
  conversation: known,
  context_management: known,
  prompt: known,
  top_logprobs: known,
  messages: known,
  response_format: known,
  max_tokens: known,
  max_completion_tokens: known,
  reasoning_effort: known,
  functions: known,
  function_call: known,
  n: known,
  verbosity: known,
  logprobs: known,
  stop: known,
  seed: known,
  logit_bias: known,
  presence_penalty: known,
  frequency_penalty: known,
});

export type ResponseBody = v.InferOutput<typeof Fields>;

const isGiven = (list: readonly unknown[] | null | undefined): boolean => (list ?? []).length > 0;

const hasTools = stated<ResponseBody>(
  "needs tools",
  ({ tools, tool_choice: choice }) =>
    choice === null || choice === undefined || choice === "none" || isGiven(tools),
);

export const ResponseInput = v.pipe(Fields, v.forward(v.check(hasTools), ["tool_choice"]));

const isThere = (value: unknown): boolean => value !== null && value !== undefined;

const OF_CHATS = "the Responses API has no such field; POST /v1/chat/completions has.";

type Refused = Extract<RequestFailure, { kind: "unsupported_parameter" }>;

/** Of a field, when it asks for what is not served, and what is. */
const REFUSED: readonly (readonly [
  parameter: string,
  isAsked: (body: ResponseBody) => boolean,
  detail: string,
])[] = [
  [
    "tools",
    ({ tools }) => (tools ?? []).some(({ type }) => !isServedTool(type)),
    "only tools of type function are served, which the caller runs.",
  ],
  [
    "tool_choice",
    ({ tool_choice: choice }) => typeof choice === "object" && choice?.type !== "function",
    "none, auto, required and a function are served.",
  ],
  [
    "background",
    ({ background }) => background === true,
    "a response is made within its request; ask for it with stream.",
  ],
  [
    "conversation",
    ({ conversation }) => isThere(conversation),
    "no conversations are kept by name; continue a response with previous_response_id.",
  ],
  [
    "context_management",
    ({ context_management: managed }) => isThere(managed) && !isEmptyList(managed),
    "no history is shortened here; send the items that matter.",
  ],
  [
    "prompt",
    ({ prompt }) => isThere(prompt),
    "no prompts are kept here; send instructions and input.",
  ],
  [
    "truncation",
    ({ truncation }) => truncation === "auto",
    "nothing of an input is left out here; disabled is served.",
  ],
  [
    "text.verbosity",
    ({ text }) => isThere(text?.verbosity) && text?.verbosity !== "medium",
    "no model here has a verbosity; medium changes nothing.",
  ],
  [
    "verbosity",
    ({ verbosity }) => isThere(verbosity) && verbosity !== "medium",
    "no model here has a verbosity; medium changes nothing.",
  ],
  [
    "reasoning.context",
    ({ reasoning }) => reasoning?.context === "all_turns",
    "no model here is shown what it thought in earlier turns.",
  ],
  [
    "reasoning.mode",
    ({ reasoning }) => isThere(reasoning?.mode) && reasoning?.mode !== "standard",
    "no model here has another than standard; reasoning.effort says how long one thinks.",
  ],
  [
    "logprobs",
    ({ logprobs }) => isThere(logprobs) && logprobs !== false,
    "a response has no log-probabilities here; a chat has, where its engine reports them.",
  ],
  [
    "top_logprobs",
    ({ top_logprobs: count }) => isThere(count) && count !== 0,
    "a response has no log-probabilities here; a chat has, where its engine reports them.",
  ],
  [
    "include",
    ({ include }) => include?.includes("message.output_text.logprobs") === true,
    "a response has no log-probabilities here; a chat has, where its engine reports them.",
  ],
  ["messages", (body) => isThere(body.messages), "the Responses API has input in its place."],
  [
    "response_format",
    (body) => isThere(body.response_format),
    "the Responses API has text.format in its place.",
  ],
  [
    "max_tokens",
    (body) => isThere(body.max_tokens),
    "the Responses API has max_output_tokens in its place.",
  ],
  [
    "max_completion_tokens",
    (body) => isThere(body.max_completion_tokens),
    "the Responses API has max_output_tokens in its place.",
  ],
  [
    "reasoning_effort",
    (body) => isThere(body.reasoning_effort),
    "the Responses API has reasoning.effort in its place.",
  ],
  ["functions", (body) => isThere(body.functions), "the Responses API has tools in their place."],
  [
    "function_call",
    (body) => isThere(body.function_call),
    "the Responses API has tool_choice in its place.",
  ],
  ["n", ({ n }) => isThere(n) && n !== 1, "a response is one answer."],
  ["stop", ({ stop }) => isThere(stop) && !isEmptyList(stop), OF_CHATS],
  ["seed", ({ seed }) => isThere(seed), OF_CHATS],
  ["logit_bias", ({ logit_bias: bias }) => Object.keys(Object(bias)).length > 0, OF_CHATS],
  [
    "presence_penalty",
    ({ presence_penalty: penalty }) => isThere(penalty) && penalty !== 0,
    OF_CHATS,
  ],
  [
    "frequency_penalty",
    ({ frequency_penalty: penalty }) => isThere(penalty) && penalty !== 0,
    OF_CHATS,
  ],
];

/** The first field that cannot be honoured and must not be ignored; null: there is none. */
export function refusedIn(body: ResponseBody): Refused | null {
  const unserved = unservedInput(body.input);
  if (unserved !== null) return { kind: "unsupported_parameter", ...unserved };
  const found = REFUSED.find(([, isAsked]) => isAsked(body));
  if (found === undefined) return null;
  const [parameter, , why] = found;
  return { kind: "unsupported_parameter", parameter, detail: `${parameter}: ${why}` };
}

/** The body of a chat, which has no input: it is told so, rather than that input is missing. */
export const refusedBody = (body: unknown): FieldError | null => {
  const { input, messages } = Object(body) as { input?: unknown; messages?: unknown };
  return isThere(messages) && !isThere(input)
    ? { path: ["messages"], detail: "must be input, which the Responses API has in its place" }
    : null;
};

/** The functions of the request. */
export const functionsOf = ({
  tools,
}: ResponseBody): readonly v.InferOutput<typeof FunctionTool>[] =>
  (tools ?? []).flatMap((tool) => (tool.type === "function" ? [tool] : []));

/** The parameters of the chat that it becomes. What is absent is left out. */
export function chatParameters(body: ResponseBody): Readonly<Record<string, unknown>> {
  const { temperature, top_p: topP, reasoning } = body;
  const format = body.text?.format ?? null;
  const effort = reasoning?.effort ?? null;
  return {
    ...toolParameters(body),
    ...(format !== null && format.type !== "text" && { response_format: chatFormat(format) }),
    ...(isThere(temperature) && { temperature }),
    ...(isThere(topP) && { top_p: topP }),
    ...(effort !== null && { reasoning_effort: effortTaken(effort) }),
  };
}

function toolParameters(body: ResponseBody): Readonly<Record<string, unknown>> {
  const functions = functionsOf(body);
  if (functions.length === 0) return {};
  const { tool_choice: choice, parallel_tool_calls: parallel } = body;
  return {
    tools: functions.map(({ name, description, parameters, strict }) => ({
      type: "function",
      function: {
        name,
        ...(isThere(description) && { description }),
        ...(isThere(parameters) && { parameters }),
        ...(isThere(strict) && { strict }),
      },
    })),
    ...(isThere(choice) && { tool_choice: chatChoice(choice) }),
    ...(isThere(parallel) && { parallel_tool_calls: parallel }),
  };
}

const chatChoice = (choice: ResponseBody["tool_choice"]): unknown =>
  typeof choice === "object" && choice !== null && "name" in choice
    ? { type: "function", function: { name: choice.name } }
    : choice;

function chatFormat(format: v.InferOutput<typeof TextFormat>): unknown {
  if (format.type !== "json_schema") return format;
  const { type, ...json_schema } = format;
  return { type, json_schema };
}

/** A name of a chat's field, as this surface has it. */
export const FIELD_NAMES: Readonly<Record<string, string>> = {
  messages: "input",
  response_format: "text.format",
  reasoning_effort: "reasoning.effort",
};
