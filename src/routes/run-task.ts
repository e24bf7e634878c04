import type { GenerationKind } from "../domain/generation/plan-generation.ts";
import {
  type GenerationCallFailure,
  type GenerationCaller,
  renderedJson,
} from "../generation/generation-call.ts";
import { renderedList } from "../generation/rendered-list.ts";
import { NO_ROOM } from "../http/intake.ts";
import type { Raw } from "../http/reply.ts";
import { toNeurogate } from "../api/openai/drop-in.ts";
import {
  envelope,
  type Reading,
  type RunBody,
  type RunFailure,
} from "../api/workers-ai/envelope.ts";
import { generate, type GenerationRouteCall, renderedReply } from "../edge/generation-deps.ts";

/** A call of `/ai/run`, once it is known which model's task it is. */
export interface RunCall {
  readonly call: GenerationRouteCall & { readonly ctx: ExecutionContext };
  readonly who: GenerationCaller & { readonly fit: boolean };
  /** As the caller named it: a catalogue id, or one of the tenant's aliases. */
  readonly model: string;
  readonly body: RunBody;
}

/** One task of the Workers AI drop-in: reads the body, runs, answers in the task's own shape. */
export type RunTask = (run: RunCall) => Promise<Raw | GenerationCallFailure | RunFailure>;

/** A task that is answered with JSON. */
export const jsonTask =
  <Kind extends GenerationKind>(
    kind: Kind,
    read: (body: RunBody, model: string) => Reading<Kind>,
  ): RunTask =>
  async ({ call, who, model, body }) => {
    const task = read(body, model);
    if (task.kind !== "task") return task;
    const { measured, inference, result, joined, long } = task;
    if (long !== undefined && !(await call.moreRoom(long.roomBytes))) return NO_ROOM;
    const generation = await generate(call, {
      ...who,
      kind,
      model,
      measured,
      inference,
      render: ({ answers, item }) => {
        const outputs = answers.map(({ output }) => output);
        const output = joined === undefined ? outputs[0] : joined(outputs);
        if (output === undefined) throw new Error("an answer is missing");
        const neurogate = toNeurogate(item, call.requestId);
        if (long === undefined) return renderedJson(envelope(result(output, item), neurogate));
        const { whole, name, items } = long.result(output);
        return renderedList(envelope(whole, neurogate), name, items);
      },
    });
    return generation.kind === "generated" ? renderedReply(generation, call.config) : generation;
  };
