import { HASHING_MODEL } from "../engines/embedded/embedding.ts";
import { namedModel } from "../engines/openai/call.ts";
import type { GenerationDeps } from "../generation/generation-call.ts";

/** The model that answers for one of the catalogue in embeddings: vectors of another one are not compared. */
export function embeddingModel(
  { inference, openai }: GenerationDeps["config"],
  model: string,
): string {
  switch (inference) {
    case "embedded":
      return HASHING_MODEL;
    case "openai":
      // Without a name for it, the engine refuses the call.
      return namedModel(openai, model) ?? model;
    case "workers-ai":
      return model;
  }
}
