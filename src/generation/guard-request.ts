import type { Admitted, GuardPolicyRequest } from "../../durable-objects/tenant/protocol.ts";
import { guardModes, type GuardModes } from "../domain/moderation/guard.ts";
import { DEFAULT_POLICY_NAME } from "../domain/moderation/policy.ts";
import type { ChatMessage } from "../engines/inference.ts";
import { measured, prepare, type PreparedContent } from "../moderation/content.ts";
import { admittedPolicy, knownPolicy, type KnownPolicy } from "../moderation/moderation-call.ts";
import { readImageUrl } from "../moderation/picture-sources.ts";
import { type ChatGuard, chatGuard, type GuardContext, textContent } from "./chat-guard.ts";

// The data that a chat brings for its guard. Only the admission tells whether there is one, since the policy
// belongs to the tenant.

export interface GuardRequest {
  readonly ask: GuardPolicyRequest;
  /** @returns the guard of the admitted call; null: neither the caller nor the policy wants one */
  open(
    admitted: Admitted,
    context: Omit<GuardContext, "policy" | "modes" | "prompt">,
  ): ChatGuard | null;
}

export interface GuardTerms {
  readonly tenantId: string;
  /** Null: the default policy. */
  readonly policyName: string | null;
  /** The modes that the caller wants. */
  readonly modes: GuardModes;
}

/**
 * @param messages the messages as they were sent
 * @param ready the messages with every picture as a data URI, after they were fetched
 */
export function guardRequest(
  { tenantId, policyName, modes }: GuardTerms,
  messages: readonly ChatMessage[],
  ready: () => readonly ChatMessage[],
): GuardRequest {
  const known = knownPolicy(tenantId, policyName ?? DEFAULT_POLICY_NAME);
  const prompt = prepare({ ...textContent(promptText(messages)), pictures: [] });
  const pictures = pictureUrls(messages).length;
  return {
    ask: {
      policy: { name: policyName, known: known?.tag ?? null },
      modes,
      prompt: { ...measured(prompt), pictures },
    },
    open(admitted, context) {
      const policy = inForce(tenantId, admitted, known);
      if (policy === null) return null;
      const stricter = guardModes(policy.policy, modes);
      return chatGuard({
        ...context,
        policy,
        modes: stricter,
        prompt: () => withPictures(prompt, ready()),
      });
    },
  };
}

/** @throws Error when the admitted policy is not known here, which is a bug */
function inForce(tenantId: string, admitted: Admitted, known: KnownPolicy | null) {
  if (admitted.policy === null) return null;
  const policy = admittedPolicy(tenantId, admitted, known);
  if (policy === null) throw new Error("the admitted policy is not known here");
  return policy;
}

/**
 * The text of users and tools. System messages are the caller's own, and assistant messages were answers of
 * an earlier call.
 */
const promptText = (messages: readonly ChatMessage[]): string =>
  messages
    .filter(({ role }) => role === "user" || role === "tool")
    .flatMap(({ content }) => textsOf(content))
    .join("\n\n");

const textsOf = (content: ChatMessage["content"]): readonly string[] => {
  if (content === null) return [];
  if (typeof content === "string") return [content];
  return content.flatMap((part) => (part.type === "text" ? [part.text] : []));
};

/** Each URL once, even if several parts have it. */
const pictureUrls = (messages: readonly ChatMessage[]): readonly string[] => [
  ...new Set(
    messages.flatMap(({ content }) =>
      content === null || typeof content === "string"
        ? []
        : content.flatMap((part) => (part.type === "image_url" ? [part.image_url.url] : [])),
    ),
  ),
];

function withPictures(prompt: PreparedContent, messages: readonly ChatMessage[]): PreparedContent {
  const read = pictureUrls(messages).map((url, at) => readImageUrl(url, ["images", at]));
  return {
    ...prompt,
    pictures: read.flatMap((one) => (one.kind === "read" ? [one.source] : [])),
  };
}
