import * as v from "valibot";
import type { Item } from "../../domain/ledger/ledger.ts";
import { IMAGE_DETAILS, ITEM_STATUSES, type OutputItem } from "../../domain/responses/item.ts";
import type { GuardResults } from "../../generation/chat-guard.ts";
import { ErrorSide, ModerationResult, toModeration } from "../openai/chat-moderation.ts";
import { ChatNeurogate, toChatNeurogate, wholeItem } from "../openai/chat-reply.ts";
import { usageOf } from "../openai/drop-in.ts";
import type { PlanNotes } from "../plan-notes.ts";
import { effortTaken } from "../reasoning-effort.ts";
import { functionsOf, Metadata, type ResponseBody, TextFormat } from "./body.ts";
import { FunctionTool } from "./tools.ts";
import type { Ending } from "./output-items.ts";

// A response as OpenAI's clients read it; what is ours is under `neurogate`.
// https://platform.openai.com/docs/api-reference/responses/object

const status = v.picklist(ITEM_STATUSES);

const TextOutput = v.object({
  type: v.literal("output_text"),
  text: v.string(),
  annotations: v.array(v.never()),
});
const Refusal = v.object({ type: v.literal("refusal"), refusal: v.string() });

const MessageOutput = v.object({
  type: v.literal("message"),
  id: v.string(),
  role: v.picklist(["user", "assistant", "system", "developer"]),
  status,
  content: v.array(
    v.variant("type", [
      TextOutput,
      Refusal,
      v.object({ type: v.literal("input_text"), text: v.string() }),
      v.object({
        type: v.literal("input_image"),
        image_url: v.string(),
        detail: v.picklist(IMAGE_DETAILS),
      }),
    ]),
  ),
});

const FunctionCallOutput = v.object({
  type: v.literal("function_call"),
  id: v.string(),
  call_id: v.string(),
  name: v.string(),
  arguments: v.string(),
  status,
});

const ReasoningOutput = v.object({
  type: v.literal("reasoning"),
  id: v.string(),
  summary: v.array(v.never()),
  content: v.array(v.object({ type: v.literal("reasoning_text"), text: v.string() })),
  status,
});

export const OutputItems = v.array(
  v.variant("type", [MessageOutput, FunctionCallOutput, ReasoningOutput]),
);

export const InputItems = v.array(
  v.variant("type", [
    MessageOutput,
    FunctionCallOutput,
    v.object({
      type: v.literal("function_call_output"),
      id: v.string(),
      call_id: v.string(),
      output: v.union([v.string(), MessageOutput.entries.content]),
      status,
    }),
  ]),
);

const ToolOutput = v.object({
  ...FunctionTool.entries,
  description: v.nullable(v.string()),
  parameters: v.nullable(v.record(v.string(), v.unknown())),
  strict: v.nullable(v.boolean()),
});

const Side = v.variant("type", [ModerationResult, ErrorSide]);

export const ResponseOutput = v.object({
  id: v.pipe(v.string(), v.description("`resp_` and a ULID.")),
  object: v.literal("response"),
  created_at: v.pipe(v.number(), v.description("Unix seconds.")),
  completed_at: v.nullable(v.pipe(v.number(), v.description("Unix seconds."))),
  status: v.picklist(["completed", "incomplete", "failed", "in_progress"]),
  background: v.literal(false),
  error: v.nullable(v.object({ code: v.string(), message: v.string() })),
  incomplete_details: v.nullable(
    v.object({ reason: v.picklist(["max_output_tokens", "content_filter"]) }),
  ),
  instructions: v.nullable(v.string()),
  max_output_tokens: v.nullable(v.number()),
  metadata: Metadata,
  model: v.string(),
  output: OutputItems,
  parallel_tool_calls: v.boolean(),
  previous_response_id: v.nullable(v.string()),
  reasoning: v.object({ effort: v.nullable(v.string()), summary: v.null() }),
  safety_identifier: v.nullable(v.string()),
  service_tier: v.literal("default"),
  store: v.pipe(
    v.boolean(),
    v.description("Whether it is kept. Also false if it could not be stored."),
  ),
  temperature: v.nullable(v.number()),
  text: v.object({ format: TextFormat }),
  tool_choice: v.union([
    v.picklist(["none", "auto", "required"]),
    v.object({ type: v.literal("function"), name: v.string() }),
  ]),
  tools: v.array(ToolOutput),
  top_logprobs: v.literal(0),
  top_p: v.nullable(v.number()),
  truncation: v.literal("disabled"),
  usage: v.nullable(
    v.object({
      input_tokens: v.number(),
      input_tokens_details: v.object({ cached_tokens: v.number() }),
      output_tokens: v.number(),
      output_tokens_details: v.object({
        reasoning_tokens: v.pipe(v.number(), v.description("0 if the engine does not report it.")),
      }),
      total_tokens: v.number(),
    }),
  ),
  user: v.nullable(v.string()),
  moderation: v.exactOptional(
    v.pipe(
      v.object({ input: Side, output: Side }),
      v.description("Where the request or the policy asks for a guard."),
    ),
  ),
  neurogate: v.exactOptional(ChatNeurogate),
});

export type ResponseObject = v.InferOutput<typeof ResponseOutput>;

/** What does not change from the first event of a response to its end. */
export interface ResponseHead {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly model: string;
  readonly store: boolean;
  /** What was decided here. */
  readonly notes: PlanNotes;
}

/** A response of which nothing is there yet. */
export function begunResponse(body: ResponseBody, head: ResponseHead): ResponseObject {
  const { tool_choice: choice, reasoning, text } = body;
  const effort = reasoning?.effort ?? null;
  return {
    id: head.id,
    object: "response",
    created_at: head.created,
    completed_at: null,
    status: "in_progress",
    background: false,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    model: head.model,
    output: [],
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    reasoning: { effort: effort === null ? null : effortTaken(effort), summary: null },
    safety_identifier: body.safety_identifier ?? null,
    service_tier: "default",
    store: head.store,
    temperature: body.temperature ?? null,
    text: { format: text?.format ?? { type: "text" } },
    tool_choice:
      typeof choice === "object" && choice !== null && "name" in choice
        ? { type: "function", name: choice.name }
        : typeof choice === "string"
          ? choice
          : "auto",
    tools: functionsOf(body).map(({ type, name, description, parameters, strict }) => ({
      type,
      name,
      description: description ?? null,
      parameters: parameters ?? null,
      strict: strict ?? null,
    })),
    top_logprobs: 0,
    top_p: body.top_p ?? null,
    truncation: "disabled",
    usage: null,
    user: body.user ?? null,
  };
}

export interface EndedAnswer {
  readonly output: readonly OutputItem[];
  readonly ending: Ending;
  readonly items: readonly Item[];
  /** Null: nobody asked for a guard. */
  readonly guard: GuardResults | null;
  /** Unix seconds. */
  readonly completed: number;
}

export function endedResponse(
  begun: ResponseObject,
  { output, ending, items, guard, completed }: EndedAnswer,
  {
    requestId,
    notes,
    moderationModel,
  }: {
    readonly requestId: string;
    readonly notes: PlanNotes;
    /** As the request named it; null: the policy alone asked. */
    readonly moderationModel: string | null;
  },
): ResponseObject {
  const item = wholeItem(items);
  return {
    ...begun,
    status: ending.status,
    completed_at: ending.status === "completed" ? completed : null,
    incomplete_details: ending.status === "incomplete" ? { reason: ending.reason } : null,
    output: structuredClone(output) as ResponseObject["output"],
    usage: toUsage(item),
    ...(guard !== null && { moderation: toSides(guard, moderationModel) }),
    neurogate: { ...toChatNeurogate(item, requestId), ...notes },
  };
}

/** One prompt and one answer, so there is one result of each. */
function toSides(
  guard: GuardResults,
  model: string | null,
): NonNullable<ResponseObject["moderation"]> {
  const { input, output } = toModeration(guard, model);
  return { input: onlyResult(input), output: onlyResult(output) };
}

type Sides = ReturnType<typeof toModeration>;

function onlyResult(side: Sides["input"]): v.InferOutput<typeof Side> {
  if (side.type === "error") return side;
  const [result] = side.results;
  // Nothing was answered: there was nothing to judge.
  return result ?? { type: "error", code: "not_requested", message: "There was nothing to judge." };
}

function toUsage({ units }: Item): NonNullable<ResponseObject["usage"]> {
  const { prompt_tokens, completion_tokens, total_tokens, cached_tokens, reasoning_tokens } =
    usageOf(units);
  return {
    input_tokens: prompt_tokens,
    input_tokens_details: { cached_tokens },
    output_tokens: completion_tokens,
    output_tokens_details: { reasoning_tokens: reasoning_tokens ?? 0 },
    total_tokens,
  };
}
