import { FAILED, isJson, type Reply, withDeadline } from "../engine-call.ts";
import type { CheckOptions } from "../engine.ts";
import { refusalIn, thrownBy } from "./error.ts";

// A call of the `AI` binding that is answered with JSON or with bytes, depending on the model. It reads
// every form in which the binding's class gives a reply, for the reason in call.ts.

interface Binding {
  run(
    model: string,
    inputs: unknown,
    options: { returnRawResponse: true; signal: AbortSignal },
  ): Promise<unknown>;
}

type Bounded = CheckOptions & { readonly maxBytes: number };

/** The value of a reply is its parsed JSON, or a `Uint8Array`. */
export function runForBytes(
  ai: Ai,
  model: string,
  inputs: unknown,
  options: Bounded,
): Promise<Reply> {
  const binding: Binding = ai;
  return withDeadline(options, async (signal) => {
    let result: unknown;
    try {
      result = await binding.run(model, inputs, { returnRawResponse: true, signal });
    } catch (error) {
      return thrownBy(error);
    }
    try {
      return await valueOf(result, signal, options.maxBytes);
    } catch {
      return FAILED; // cut, too large, or not JSON
    }
  });
}

async function valueOf(result: unknown, signal: AbortSignal, maxBytes: number): Promise<Reply> {
  if (result instanceof Response && !result.ok) return refusalIn(result, signal);
  const body = result instanceof Response ? result.body : result;
  if (!(body instanceof ReadableStream)) {
    return body === null ? FAILED : { kind: "replied", value: body };
  }
  const bytes = await readBytes(body as ReadableStream<Uint8Array>, signal, maxBytes);
  const json = result instanceof Response ? isJson(result) : bytes[0] === OPENING_BRACE;
  return { kind: "replied", value: json ? JSON.parse(new TextDecoder().decode(bytes)) : bytes };
}

const OPENING_BRACE = 0x7b;

/** The first buffer for a body: most pictures fit. */
const FIRST_CAPACITY_BYTES = 1_048_576;

/** @throws Error when the body is longer than `maxBytes`, or was given up */
async function readBytes(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  // A call may ignore the signal: its body would otherwise go on arriving.
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  let bytes = new Uint8Array(Math.min(FIRST_CAPACITY_BYTES, maxBytes));
  let length = 0;
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one piece after the other
      const { done, value } = await reader.read();
      if (signal.aborted) throw new Error("The call was given up");
      if (done) return bytes.subarray(0, length);
      const end = length + value.byteLength;
      if (end > maxBytes) {
        cancel();
        throw new Error("The reply of the engine is too large");
      }
      if (end > bytes.byteLength) bytes = grown(bytes, Math.min(maxBytes, end * 2));
      bytes.set(value, length);
      length = end;
    }
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function grown(bytes: Uint8Array, capacity: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(capacity);
  larger.set(bytes);
  return larger;
}
