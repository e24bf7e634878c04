import type { ChoiceEvent } from "../generation/call-events.ts";
import type { ChatOutput, FinishReason, ToolCall } from "../engines/inference.ts";

/** Puts a streamed answer together, as its caller receives it. */
export class GatheredAnswer {
  readonly #texts: string[] = [];
  readonly #calls: { id: string; name: string; arguments: string }[] = [];
  #finishReason: FinishReason | null = null;

  add(event: ChoiceEvent): void {
    switch (event.kind) {
      case "text":
        this.#texts.push(event.text);
        return;
      case "finish":
        this.#finishReason = event.reason;
        return;
      case "tool_calls":
        for (const { index, id, name, arguments: piece } of event.deltas) {
          const call = (this.#calls[index] ??= { id: "", name: "", arguments: "" });
          if (id !== undefined) call.id = id;
          if (name !== undefined) call.name = name;
          call.arguments += piece ?? "";
        }
        return;
      case "reasoning":
        return;
      default:
        return event satisfies never;
    }
  }

  /** Without its reasoning, which no later call is sent; null: it did not come to its end. */
  output(): ChatOutput | null {
    if (this.#finishReason === null) return null;
    const toolCalls = this.#calls
      .filter(Boolean)
      .map(({ id, name, arguments: given }): ToolCall => ({
        id,
        type: "function",
        function: { name, arguments: given },
      }));
    const text = this.#texts.join("");
    return {
      content: text === "" && toolCalls.length > 0 ? null : text,
      reasoning: null,
      toolCalls,
      finishReason: this.#finishReason,
    };
  }
}
