import { isRecord } from "../api/problem.ts";

// The parts of a streamed chat's chunks that the console shows.

export interface ChatPart {
  readonly text: string;
  readonly microNeurons: number | null;
  readonly tokens: { readonly input: number; readonly output: number } | null;
  readonly finish: string | null;
  readonly error: string | null;
}

const NOTHING: ChatPart = { text: "", microNeurons: null, tokens: null, finish: null, error: null };

export function readChunk(data: string): ChatPart {
  if (data === "[DONE]") return NOTHING;
  const chunk: unknown = JSON.parse(data);
  if (!isRecord(chunk)) return NOTHING;
  const error = isRecord(chunk["error"]) ? String(chunk["error"]["message"]) : null;
  const [choice] = Array.isArray(chunk["choices"]) ? (chunk["choices"] as unknown[]) : [];
  const delta = isRecord(choice) && isRecord(choice["delta"]) ? choice["delta"]["content"] : null;
  const finish = isRecord(choice) ? choice["finish_reason"] : null;
  const usage = isRecord(chunk["usage"]) ? chunk["usage"] : null;
  const ours = isRecord(chunk["neurogate"]) ? chunk["neurogate"] : null;
  return {
    text: typeof delta === "string" ? delta : "",
    microNeurons: typeof ours?.["micro_neurons"] === "number" ? ours["micro_neurons"] : null,
    tokens:
      usage === null
        ? null
        : { input: Number(usage["prompt_tokens"]), output: Number(usage["completion_tokens"]) },
    finish: typeof finish === "string" ? finish : null,
    error,
  };
}
