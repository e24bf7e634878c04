import type { Config } from "../config.ts";
import { createEmbeddedEngine } from "./embedded/engine.ts";
import { pictureModelOf } from "./embedded/picture-model/picture-model.ts";
import { textModelOf } from "./embedded/text-model.ts";
import type { Engine } from "./engine.ts";
import { createOpenAiEngine } from "./openai/engine.ts";
import { createWorkersAiEngine } from "./workers-ai/engine.ts";
import { throughGateway } from "./workers-ai/gateway.ts";

/** The engine that `INFERENCE` names. */
export const createEngine = (config: Config, env: Pick<Env, "AI" | "ASSETS">): Engine =>
  withLanguages(config, plainEngine(config, env));

/** The operator may declare the languages of the engine's judges. */
function withLanguages(config: Config, engine: Engine): Engine {
  // The judge inside the Worker knows only the languages it was made for: a declaration does not apply.
  if (engine.name === "embedded") return engine;
  const { all, models } = config.judgeLanguages;
  if (all === null && Object.keys(models).length === 0) return engine;
  return {
    ...engine,
    languages(name, model) {
      const byMaker = engine.languages(name, model);
      if (name !== "judge") return byMaker;
      return (Object.hasOwn(models, model) ? models[model] : all) ?? byMaker;
    },
  };
}

function plainEngine(
  { inference, openai, aiGatewayId }: Config,
  env: Pick<Env, "AI" | "ASSETS">,
): Engine {
  switch (inference) {
    case "workers-ai":
      return aiGatewayId === null
        ? createWorkersAiEngine(env.AI)
        : throughGateway(env.AI, aiGatewayId, createWorkersAiEngine);
    case "embedded":
      return createEmbeddedEngine({
        text: textModelOf(env.ASSETS),
        picture: pictureModelOf(env.ASSETS),
      });
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
