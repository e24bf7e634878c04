import type { CallEvent, StreamHead } from "../generation/call-events.ts";
import type { GuardResults } from "../generation/chat-guard.ts";
import { chatRequest } from "../generation/chat-request.ts";
import { generationIn } from "../generation/generation-call.ts";
import { resolveOverHttps } from "../io/resolve-host.ts";
import { type ChatOptions, maxTokensOf, parametersOf } from "../api/openai/chat.ts";
import { chatChunks } from "../api/openai/chat-chunks.ts";
import { requestedModes, toModeration } from "../api/openai/chat-moderation.ts";
import { toMessages } from "../api/openai/chat-messages.ts";
import { type ChatHead, chatId } from "../api/openai/chat-reply.ts";
import { toPlanNotes } from "../api/plan-notes.ts";
import { withExactSeed } from "../api/seed.ts";
import { compacts } from "./generation-deps.ts";

// OpenAI's chat from its body to a call, and from the call to its reply: what routes and sessions share.

/** A chat as it was asked for, in values alone: it can be sent to another object. */
export interface AskedChat {
  readonly messages: ReturnType<typeof toMessages>;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly maxTokens: number | null;
  readonly choices: number;
  readonly policyName: string | null;
  readonly modes: ReturnType<typeof requestedModes>;
  readonly compact: boolean | null;
  /** The moderation model that the request names; null: none. */
  readonly moderationModel: string | null;
  /** For a stream: its last chunk tells what was used. */
  readonly includesUsage: boolean;
}

/** @param json the request as it was sent; null: nothing is asked of an engine */
export function askedChat(
  body: ChatOptions,
  request: Request,
  json: Uint8Array | null,
):
  | { readonly kind: "asked"; readonly chat: AskedChat }
  | Exclude<ReturnType<typeof withExactSeed>, { kind: "read" }> {
  const seeded = withExactSeed(parametersOf(body), body.seed, json);
  if (seeded.kind !== "read") return seeded;
  const chat: AskedChat = {
    messages: toMessages(body.messages),
    parameters: seeded.parameters,
    maxTokens: maxTokensOf(body),
    choices: body.n,
    policyName: body.neurogate?.policy ?? null,
    modes: requestedModes(body.moderation),
    compact: compacts(request),
    moderationModel: body.moderation?.model ?? null,
    includesUsage: body.stream_options?.include_usage === true,
  };
  return { kind: "asked", chat };
}

export const requestOf = (chat: AskedChat, tenantId: string): ReturnType<typeof chatRequest> =>
  chatRequest(
    {
      messages: chat.messages,
      parameters: chat.parameters,
      maxTokens: chat.maxTokens,
      choices: chat.choices,
      guard: { tenantId, policyName: chat.policyName, modes: chat.modes },
      compact: chat.compact,
    },
    resolveOverHttps((...request) => fetch(...request)),
  );

/** Null where nobody asked for a guard. */
export const moderationOf = (
  guard: GuardResults | null,
  { moderationModel }: Pick<AskedChat, "moderationModel">,
) => (guard === null ? null : toModeration(guard, moderationModel));

export const chatHead = ({ hold, model }: Pick<StreamHead, "hold" | "model">): ChatHead => ({
  id: chatId(hold.callId),
  created: Math.floor(hold.admittedAtMs / 1000),
  model,
  notes: toPlanNotes(generationIn(hold)),
});

/** @param more beside what was decided here; it is read when the stream has ended */
export const renderChunks =
  (
    chat: Pick<AskedChat, "includesUsage" | "moderationModel">,
    requestId: string,
    more: object = {},
  ) =>
  (head: StreamHead): ((event: CallEvent) => string) => {
    const usage = chat.includesUsage ? "null_until_last" : "none";
    const own = chatHead(head);
    const notes = { ...own.notes, ...more };
    const chunks = chatChunks({ ...own, notes }, { usage, requestId });
    return (event) => {
      if (event.kind === "choice") return chunks.piece(event.index, event.event);
      if (!event.complete) return chunks.cut();
      return chunks.ended(event.items, moderationOf(event.guard ?? null, chat));
    };
  };
