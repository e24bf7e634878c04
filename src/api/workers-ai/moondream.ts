import * as v from "valibot";
import { isDataUri } from "../../domain/text/base64.ts";
import { tokensAtMost } from "../../domain/generation/token-bound.ts";
import type { Picture } from "../../engines/picture.ts";
import { base64Picture, tokens } from "../picture-input.ts";
import { parseInputs, type Reading, type RunBody, type RunFailure, wrong } from "./envelope.ts";
import { object } from "../object-input.ts";

// Moondream in the Workers AI drop-in: a question about a picture, or its description.

/** Source: the schema of moondream3.1-9B-A2B. */
export const MoondreamInput = object({
  task: v.optional(v.picklist(["query", "caption", "point", "detect"]), "query"),
  image: v.optional(v.string()),
  question: v.optional(v.string(), "What's in this image?"),
  caption_length: v.optional(v.picklist(["short", "normal", "long"])),
  temperature: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
  top_p: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  max_tokens: v.optional(tokens(2048)),
  reasoning: v.optional(v.boolean()),
  stream: v.optional(v.boolean()),
});

type MoondreamBody = v.InferOutput<typeof MoondreamInput>;

const unsupported = (parameter: string, detail: string): RunFailure => ({
  kind: "unsupported_parameter",
  parameter,
  detail,
});

/** What would have no bound, or another form of reply. */
function unsupportedIn({ task, reasoning, stream }: MoondreamBody): RunFailure | null {
  if (task === "point" || task === "detect") {
    return unsupported("task", `What ${task} writes has no known bound, so it is not run here.`);
  }
  if (reasoning === true) {
    return unsupported("reasoning", "A trace of reasoning has no known bound, so it stays off.");
  }
  return stream === true ? unsupported("stream", "This model is not streamed here.") : null;
}

export function readMoondream(body: RunBody): Reading<"caption"> {
  const parsed = parseInputs(MoondreamInput, body);
  if (parsed.kind !== "parsed") return parsed;
  const { inputs } = parsed;
  const refused = unsupportedIn(inputs);
  if (refused !== null) return refused;
  if (inputs.image === undefined && inputs.task === "caption") {
    return wrong(["image"], "is required");
  }
  const read = inputs.image === undefined ? null : moondreamPicture(inputs.image);
  if (read !== null && read.kind !== "picture") return read;
  const question = inputs.task === "query" ? inputs.question : null;
  const { caption_length, temperature, top_p } = inputs;
  const parameters = Object.fromEntries(
    Object.entries({ caption_length, temperature, top_p }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  return {
    kind: "task",
    measured: {
      kind: "caption",
      text: tokensAtMost(question ?? ""),
      pictures: read === null ? 0 : 1,
      maxTokens: inputs.max_tokens ?? null,
    },
    inference: (model, stage) => ({
      model,
      picture: read?.picture ?? null,
      question,
      maxTokens: stage.maxTokens ?? 1,
      parameters,
    }),
    result: ({ text, finish, metrics }) => ({
      finish_reason: finish,
      metrics,
      ...(question === null ? { caption: text } : { answer: text }),
    }),
  };
}

type MoondreamPicture = { readonly kind: "picture"; readonly picture: Picture | URL } | RunFailure;

/** A URL is read by the model's host, not here. */
function moondreamPicture(text: string): MoondreamPicture {
  if (isDataUri(text)) return base64Picture(text);
  const url = URL.parse(text);
  return url?.protocol === "https:" && text.length <= 2048
    ? { kind: "picture", picture: url }
    : wrong(["image"], "must be an https URL or a data URI of a picture");
}
