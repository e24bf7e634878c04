import { generationCall, renderedJson } from "../generation/generation-call.ts";
import { toNeurogate } from "../wire/openai.ts";
import { envelope } from "../wire/workers-ai.ts";
import { readSpeech, speaksInJson } from "../wire/workers-ai-sound.ts";
import { generationDeps } from "./generation-deps.ts";
import { toItsEnd } from "./moderation-deps.ts";
import { type RunTask, runReply } from "./run-task.ts";

/** Text to speech: in the envelope or as the sound that it is, by the model that was asked for. */
export const speechTask: RunTask = async ({ call, who, model, body }) => {
  const asked = readSpeech(body, model);
  if (asked.kind !== "asked") return asked;
  const { measured, inference, result } = asked;
  const generation = await toItsEnd(
    call.ctx,
    generationCall(generationDeps(call), {
      ...who,
      kind: "speech",
      model,
      measured,
      inference,
      render: ({ answers: [answer], item, stage }) => {
        if (answer === undefined) throw new Error("an answer is missing");
        const { contentType, bytes } = answer.output;
        return speaksInJson(stage.model)
          ? renderedJson(envelope(result(answer.output, item), toNeurogate(item, call.requestId)))
          : { contentType, body: bytes };
      },
    }),
  );
  return generation.kind === "generated" ? runReply(generation, call.config) : generation;
};
