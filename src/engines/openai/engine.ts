import { JUDGED_CATEGORIES, type Category } from "../../domain/moderation/category.ts";
import type { Check, CheckOutcome, Engine } from "../engine.ts";
import { llmChat, type Chat, languagesOf } from "../language-models.ts";
import { namedModel, type OpenAiOptions, postJson } from "./call.ts";
import { streamChat } from "./chat.ts";
import { openAiGenerators } from "./generators.ts";

// Any OpenAI-compatible server (Ollama, llama.cpp, vLLM). It does the checks of a language model; it is
// not used as a classifier of sentiment or labels.

export function createOpenAiEngine(options: OpenAiOptions): Engine {
  const serverModel = (name: Check["name"], model: string): string | undefined => {
    if (name !== "judge" && name !== "vision") return undefined;
    return namedModel(options, model) ?? (name === "judge" ? options.defaultModel : undefined);
  };

  return {
    name: "openai",
    /** The languages of the catalogue's model that the server's model stands in for. */
    languages: (name, model) => (name === "judge" ? languagesOf(model) : null),
    judges(name, model): readonly Category[] {
      if (serverModel(name, model) === undefined) return [];
      return name === "judge" ? JUDGED_CATEGORIES : ["nsfw"];
    },
    async run(_hold, check, checkOptions): Promise<CheckOutcome> {
      if (check.name !== "judge" && check.name !== "vision") return { kind: "unsupported" };
      const model = serverModel(check.name, check.model);
      if (model === undefined) return { kind: "unsupported" };
      const chat = llmChat(check);
      const body = completion(model, chat);
      const reply = await postJson(options, "/chat/completions", body, checkOptions);
      return chat.outcome(model, reply);
    },
    generators: openAiGenerators(options),
    streamChat: streamChat(options),
  };
}

function completion(model: string, { messages, schema, maxTokens }: Chat): unknown {
  return {
    model,
    messages,
    temperature: 0,
    max_tokens: maxTokens,
    response_format: {
      type: "json_schema",
      json_schema: { name: "verdict", strict: true, schema },
    },
  };
}
