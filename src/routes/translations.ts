import { tokensAtMost } from "../domain/generation/token-bound.ts";
import { renderedJson } from "../generation/generation-call.ts";
import { defineRoute } from "../http/route.ts";
import {
  toTranslation,
  type TranslationBody,
  TranslationInput,
  TranslationOutput,
} from "../api/native/translation.ts";
import {
  callerOf,
  GENERATED,
  generate,
  MAX_BODY_BYTES,
  renderedReply,
} from "../edge/generation-deps.ts";

/** What is planned and priced: of a call, and of a quote for it. */
export const measureTranslation = (body: TranslationBody) => ({
  model: body.model,
  measured: {
    kind: "translation" as const,
    texts: [tokensAtMost(body.text)],
    source: body.source_language,
    target: body.target_language,
  },
});

export const createTranslation = defineRoute({
  method: "POST",
  path: "/v1/translations",
  summary: "Translates a text",
  surface: "native",
  admits: { kind: "generation", route: "POST /v1/translations" },
  auth: { kind: "key", roles: ["call"] },
  body: { schema: TranslationInput, limitBytes: MAX_BODY_BYTES },
  reply: { status: 200, schema: TranslationOutput },
  failures: GENERATED,
  handle: async (call) => {
    const { body } = call;
    const { text, source_language: source, target_language: target } = body;
    const read = await callerOf(call, "POST /v1/translations", body.user_id ?? null);
    if (read.kind !== "read") return read;
    const generation = await generate(call, {
      ...read.who,
      kind: "translation",
      ...measureTranslation(body),
      inference: (model) => ({ model, texts: [text], source, target }),
      render: ({ answers: [answer], item, hold }) => {
        if (answer === undefined) throw new Error("an answer is missing");
        return renderedJson(toTranslation(answer.output, { body, item, hold }));
      },
    });
    return generation.kind === "generated" ? renderedReply(generation, call.config) : generation;
  },
});
