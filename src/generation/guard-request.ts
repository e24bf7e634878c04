import type { Admitted, GuardPolicyRequest } from "../../durable-objects/tenant/protocol.ts";
import { guardModes, type GuardModes } from "../domain/moderation/guard.ts";
import { DEFAULT_POLICY_NAME } from "../domain/moderation/policy.ts";
import type { ChatMessage } from "../engines/inference.ts";
import { measured, prepare, type PreparedContent } from "../moderation/content.ts";
import { admittedPolicy, knownPolicy, type KnownPolicy } from "../moderation/policy-cache.ts";
import { readImageUrl } from "../moderation/read-pictures.ts";
import { type ChatGuard, chatGuard, type GuardContext, textContent } from "./chat-guard.ts";

// What a chat brings along for its guard. Whether there is one is known once it is admitted: the
// policy is the tenant's.

export interface GuardRequest {
  readonly ask: GuardPolicyRequest;
  /** @returns the guard of the admitted call; null: nobody wants one */
  open(
    admitted: Admitted,
    context: Omit<GuardContext, "policy" | "modes" | "prompt">,
  ): ChatGuard | null;
}

export interface GuardTerms {
  readonly tenantId: string;
  /** Null: the default one. */
  readonly policyName: string | null;
  /** What the caller asked for. */
  readonly modes: GuardModes;
}

/**
 * @param messages as they were sent
 * @param ready the same with every picture as a data URI, once they were fetched
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
      const asked = guardModes(policy.policy, modes);
      return chatGuard({
        ...context,
        policy,
        modes: asked,
        prompt: () => withPictures(prompt, ready()),
      });
    },
  };
}

/** @throws Error when a policy was admitted that is not known here: a bug. */
function inForce(tenantId: string, admitted: Admitted, known: KnownPolicy | null) {
  if (admitted.policy === null) return null;
  const policy = admittedPolicy(tenantId, admitted, known);
  if (policy === null) throw new Error("the admitted policy is not known here");
  return policy;
}

/**
 * What people and tools have said: the system's words are the caller's own, and the assistant's were
 * an answer once.
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

/** Each once, however often it is shown. */
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
