import { renderedJson } from "../generation/generation-call.ts";
import { toNeurogate } from "../api/openai/drop-in.ts";
import { envelope } from "../api/workers-ai/envelope.ts";
import { readSpeech, speaksInJson } from "../api/workers-ai/sound.ts";
import { generate, renderedReply } from "../edge/generation-deps.ts";
import type { RunTask } from "./run-task.ts";

/** Text to speech: in the envelope or as the sound that it is, by the model that was asked for. */
export const speechTask: RunTask = async ({ call, who, model, body }) => {
  const read = readSpeech(body, model);
  if (read.kind !== "task") return read;
  const { measured, inference, result } = read;
  const generation = await generate(call, {
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
  });
  return generation.kind === "generated" ? renderedReply(generation, call.config) : generation;
};
