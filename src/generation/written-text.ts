import type { ChatOutput, Outputs } from "../engines/inference.ts";

/** Everything that a model wrote, including tool calls; null for other outputs. */
export function writtenText(output: Outputs[keyof Outputs]): string | null {
  if ("translations" in output) return output.translations.join("");
  return isChat(output)
    ? [
        output.reasoning ?? "",
        output.content ?? "",
        ...output.toolCalls.map((call) => JSON.stringify(call)),
      ].join("")
    : null;
}

const isChat = (output: object): output is ChatOutput => "finishReason" in output;
