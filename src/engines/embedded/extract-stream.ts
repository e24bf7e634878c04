import type { ChatEvent, ChatOutput, StreamChat } from "../inference.ts";
import { EXTRACT_MODEL, extract } from "./extract.ts";

/** The stand-in's answer, word by word, as a language model would give it. */
export const streamExtract: StreamChat = async (_hold, inference, { signal }) => {
  const extracted = extract(inference);
  if (extracted.kind === "unsupported") return extracted;
  return { kind: "streaming", model: EXTRACT_MODEL, events: wordByWord(extracted.output, signal) };
};

async function* wordByWord(
  { content, finishReason }: ChatOutput,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChatEvent, void> {
  for (const text of content?.match(/\s*\S+\s*$|\s*\S+/gu) ?? []) {
    if (signal?.aborted === true) return;
    yield { kind: "text", text };
  }
  yield { kind: "finish", reason: finishReason };
  yield { kind: "end" };
}
