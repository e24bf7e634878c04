import type { GenerationCallFailure, Made, Rendered } from "../generation/generation-call.ts";
import { renderedJson } from "../generation/generation-call.ts";
import { toNeurogate } from "../api/openai/drop-in.ts";
import { envelope } from "../api/workers-ai/envelope.ts";
import { answersInJson, readImageOrder } from "../api/workers-ai/images.ts";
import { renderedReply } from "../edge/generation-deps.ts";
import { drawsSeeds, picturesCall } from "../edge/picture-deps.ts";
import type { RunTask } from "./run-task.ts";

/** Text to image: one picture, in the envelope or as it is, by the model that was asked for. */
export const imageTask: RunTask = async ({ call, who, model, body }) => {
  const read = readImageOrder(body);
  if (read.kind !== "task") return read;
  const { kind: _, stepsName, ...order } = read;
  const generation = await picturesCall(call, {
    who,
    model,
    order: { ...order, pictures: 1, drawsSeeds: drawsSeeds(call.config) },
    stores: false,
    render: (made) => rendered(made, call.requestId),
  });
  if (generation.kind === "generated") return renderedReply(generation, call.config);
  return asCalled(generation, stepsName);
};

function rendered(
  { answers: [answer], item, stage }: Made<"picture">,
  requestId: string,
): Rendered {
  if (answer === undefined) throw new Error("a picture is missing");
  const { bytes, format } = answer.output;
  if (!answersInJson(stage.model)) return { contentType: `image/${format}`, body: bytes };
  return renderedJson(envelope({ image: bytes.toBase64() }, toNeurogate(item, requestId)));
}

/** A wrong field under the name that the caller gave it. */
function asCalled(failure: GenerationCallFailure, stepsName: string): GenerationCallFailure {
  if (failure.kind === "unsupported_parameter" && failure.parameter === "steps") {
    return { ...failure, parameter: stepsName };
  }
  if (failure.kind !== "invalid_request") return failure;
  const errors = failure.errors.map((error) =>
    error.path[0] === "steps" ? { ...error, path: [stepsName, ...error.path.slice(1)] } : error,
  );
  return { ...failure, errors };
}
