import * as v from "valibot";
import type { FieldError, RequestFailure } from "../../domain/ledger/failure.ts";
import type { Item } from "../../domain/ledger/ledger.ts";
import type {
  GenerationKind,
  GenerationStage,
  Measured,
} from "../../domain/generation/plan-generation.ts";
import type { Inferences, Outputs } from "../../engines/inference.ts";
import { takeByteArrays } from "../../http/byte-arrays.ts";
import { fieldErrors } from "../../http/field-errors.ts";
import { parseJson } from "../../http/read-body.ts";
import { Neurogate } from "../openai/drop-in.ts";
import { mended } from "../drop-in-body.ts";
import { record } from "../object-input.ts";

// What the tasks of the Workers AI drop-in share: Cloudflare's envelope, the two forms of a body, and
// what a body becomes. Unknown fields are ignored, as the original does.

/** Of a call that was answered. `neurogate` is ours: clients take `result` and no more. */
export const Envelope = v.object({
  result: v.unknown(),
  success: v.literal(true),
  errors: v.pipe(v.array(v.never()), v.maxLength(0)),
  messages: v.pipe(v.array(v.never()), v.maxLength(0)),
  neurogate: Neurogate,
});

export const envelope = (
  result: unknown,
  neurogate: v.InferOutput<typeof Neurogate>,
): v.InferOutput<typeof Envelope> => ({
  result,
  success: true,
  errors: [],
  messages: [],
  neurogate,
});

/** The model's own inputs, as Cloudflare's pages of the models have them. */
export const RunInput = v.pipe(
  record(v.string(), v.unknown()),
  v.description(
    "The model's own inputs. A picture or a sound may also be the whole body, as its bytes.",
  ),
);

export type RunBody =
  /** `json`: its text, without the bytes that stood in it as numbers. */
  | { readonly kind: "json"; readonly value: unknown; readonly json: Uint8Array }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

export type RunFailure = Extract<
  RequestFailure,
  { kind: "invalid_request" | "unsupported_parameter" | "body_too_large" }
>;

const JSON_TYPE = /^application\/json\b/i;
const BRACE = 0x7b;

/**
 * JSON where the type says so, and where it begins like an object: Cloudflare's own examples send both
 * JSON and pictures with curl's type for forms. No picture or sound begins with a brace.
 *
 * @param maxJsonBytes without the bytes that stand in it as numbers
 */
export function readRunBody(
  bytes: Uint8Array,
  {
    contentType,
    maxJsonBytes,
  }: { readonly contentType: string | null; readonly maxJsonBytes: number },
): RunBody | RunFailure {
  const isJson = JSON_TYPE.test(contentType ?? "") || bytes[0] === BRACE;
  if (!isJson) return { kind: "bytes", bytes };
  const taken = takeByteArrays(bytes, ["image", "audio", "mask"], {
    base64Names: ["audio"],
    most: maxJsonBytes,
  });
  const { json, arrays, repeated } = taken;
  if (repeated !== null) return wrong([repeated], "must be sent once");
  if (json.byteLength > maxJsonBytes) return { kind: "body_too_large", limitBytes: maxJsonBytes };
  const parsed = parseJson(json);
  if (parsed.kind === "unsupported_media_type") return wrong([], "must be JSON");
  if (parsed.kind !== "json") return parsed;
  const { value } = parsed;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return wrong([], "must be an object");
  }
  return { kind: "json", json, value: { ...Object(mended(value)), ...Object.fromEntries(arrays) } };
}

export const wrong = (path: FieldError["path"], detail: string): RunFailure => ({
  kind: "invalid_request",
  errors: [{ path, detail }],
});

/** A request of a task, measured and ready for an engine; the result is in the task's own shape. */
export interface RunRequest<Kind extends GenerationKind> {
  readonly kind: "task";
  readonly measured: Extract<Measured, { kind: Kind }>;
  readonly inference: (model: string, stage: GenerationStage, at: number) => Inferences[Kind];
  readonly result: (output: Outputs[Kind], item: Item) => unknown;
  /** Of a list that is too long to be made as one text. */
  readonly long?: LongResult<Kind>;
  /** Of what takes several engine calls: their outputs as one. */
  readonly joined?: (outputs: readonly Outputs[Kind][]) => Outputs[Kind];
}

export interface LongResult<Kind extends GenerationKind> {
  /** Memory of the output. */
  readonly roomBytes: number;
  readonly result: (output: Outputs[Kind]) => {
    /** The result, with the list empty. */
    readonly whole: object;
    readonly name: string;
    readonly items: readonly unknown[];
  };
}

export type Reading<Kind extends GenerationKind> = RunRequest<Kind> | RunFailure;

/** Reads JSON by a schema. A body of bytes is none. */
export function parseInputs<S extends v.GenericSchema>(
  schema: S,
  body: Omit<Extract<RunBody, { kind: "json" }>, "json"> | Extract<RunBody, { kind: "bytes" }>,
): { readonly kind: "parsed"; readonly inputs: v.InferOutput<S> } | RunFailure {
  if (body.kind === "bytes") return wrong([], "must be JSON: this model takes no bytes");
  const result = v.safeParse(schema, body.value, { abortEarly: true });
  if (result.success) return { kind: "parsed", inputs: result.output };
  return { kind: "invalid_request", errors: fieldErrors(result.issues) };
}
