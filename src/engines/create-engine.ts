import type { Config } from "../config.ts";
import { createEmbeddedEngine } from "./embedded/embedded-engine.ts";
import { pictureModelOf } from "./embedded/picture-model/picture-model.ts";
import type { Engine } from "./engine.ts";
import { createOpenAiEngine } from "./openai.ts";
import { createWorkersAiEngine } from "./workers-ai.ts";

/** The engine that `INFERENCE` names. */
export function createEngine(
  { inference, openai }: Config,
  env: Pick<Env, "AI" | "ASSETS">,
): Engine {
  switch (inference) {
    case "workers-ai":
      return createWorkersAiEngine(env.AI);
    case "embedded":
      return createEmbeddedEngine(pictureModelOf(env.ASSETS));
    case "openai":
      return createOpenAiEngine({
        // The configuration is not ready without it.
        baseUrl: openai.baseUrl ?? "",
        models: openai.models,
        ...(openai.apiKey === null ? {} : { apiKey: openai.apiKey }),
        ...(openai.defaultModel === null ? {} : { defaultModel: openai.defaultModel }),
      });
  }
}
