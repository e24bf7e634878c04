import { FAILED, isJson, readJson, type Reply, withDeadline } from "../engine-call.ts";
import type { CheckOptions } from "../engine.ts";
import { eventsOf, type OpenedEvents } from "../open-chat-stream.ts";
import type { Picture } from "../picture.ts";
import { refusalIn, thrownBy } from "./error.ts";

// The `AI` binding.
//
// Its class keeps the options of the last call and its status fields on the one object that all
// calls of an isolate share, and reads `returnRawResponse` from there only when the reply has come:
// a concurrent call without it turns our raw reply into a parsed one, or into a thrown error. So this
// file reads all three forms and nothing from the shared fields, and any other code that calls
// `env.AI.run` should pass `returnRawResponse: true` too. (From the source in workerd
// 1.20261102.1, `cloudflare-internal:ai-api`, and tried.)

/** The part of `Ai` that is used; its own type knows only the inputs of the models that it lists. */
interface Binding {
  run(
    model: string,
    inputs: unknown,
    options: { returnRawResponse: true; signal: AbortSignal },
  ): Promise<unknown>;
}

/**
 * One model call that is answered with JSON.
 *
 * @param maxBytes of the reply; a longer one is `failed`
 */
export function runModel(
  ai: Ai,
  model: string,
  inputs: unknown,
  options: CheckOptions & { readonly maxBytes?: number },
): Promise<Reply> {
  const binding: Binding = ai;
  return withDeadline(options, async (signal) => {
    let result: unknown;
    try {
      result = await binding.run(model, inputs, { returnRawResponse: true, signal });
    } catch (error) {
      return thrownBy(error);
    }
    return jsonOf(result, signal, options.maxBytes);
  });
}

/** One model call that is answered with events, which are given unread. */
export async function runForEvents(
  ai: Ai,
  model: string,
  inputs: unknown,
  signal: AbortSignal,
): Promise<OpenedEvents> {
  const binding: Binding = ai;
  let result: unknown;
  try {
    result = await binding.run(model, inputs, { returnRawResponse: true, signal });
  } catch (error) {
    return thrownBy(error);
  }
  if (result instanceof ReadableStream) return { kind: "opened", body: result };
  if (!(result instanceof Response)) return FAILED;
  return result.ok ? eventsOf(result, signal) : refusalIn(result, signal);
}

/**
 * A picture as the binding's raw body: an object with a stream and its type is sent as it is, with its
 * length, where the documented `number[]` costs thirty times its size in heap.
 */
export const rawBody = ({ bytes, format }: Picture): object => ({
  body: new Response(bytes).body,
  contentType: `image/${format}`,
});

async function jsonOf(result: unknown, signal: AbortSignal, maxBytes?: number): Promise<Reply> {
  try {
    if (result instanceof Response) {
      if (!result.ok) return await refusalIn(result, signal);
      if (!isJson(result)) {
        await result.body?.cancel();
        return FAILED;
      }
      return { kind: "replied", value: await readJson(result.body, signal, maxBytes) };
    }
    if (result instanceof ReadableStream) {
      return { kind: "replied", value: await readJson(result, signal, maxBytes) };
    }
    return { kind: "replied", value: result };
  } catch {
    return FAILED; // cut, too large, or not JSON
  }
}
