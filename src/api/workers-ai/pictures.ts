import * as v from "valibot";
import { tokensAtMost } from "../../domain/generation/token-bound.ts";
import { BYTES, image, pictureIn, readImage, type ReadPicture, tokens } from "../picture-input.ts";
import { MoondreamInput, readMoondream } from "./moondream.ts";
import { parseInputs, type Reading, type RunBody, wrong } from "./envelope.ts";
import { OF_DESCRIPTION, unsetIn } from "./unset-options.ts";
import { object } from "../object-input.ts";

// The tasks of the Workers AI drop-in that look at a picture. It comes as the whole body, as an array
// of its bytes, or in base64.

export const PictureInput = object({ image });

function onePicture(body: RunBody): ReadPicture {
  if (body.kind === "bytes") return pictureIn(body.bytes, []);
  const given = typeof body.value === "object" && body.value !== null && "image" in body.value;
  const parsed = parseInputs(PictureInput, body);
  if (parsed.kind === "parsed") return readImage(parsed.inputs.image);
  return given ? wrong(["image"], BYTES) : parsed;
}

export function readLabelling(body: RunBody): Reading<"labels"> {
  const read = onePicture(body);
  if (read.kind !== "picture") return read;
  return {
    kind: "task",
    measured: { kind: "labels" },
    inference: (model) => ({ model, picture: read.picture }),
    result: ({ labels }) => labels.map(({ name: label, score }) => ({ label, score })),
  };
}

export function readDetection(body: RunBody): Reading<"objects"> {
  const read = onePicture(body);
  if (read.kind !== "picture") return read;
  return {
    kind: "task",
    measured: { kind: "objects" },
    inference: (model) => ({ model, picture: read.picture }),
    result: ({ objects }) =>
      objects.map(({ name: label, score, box }) => ({ score, label, box: { ...box } })),
  };
}

/** LLaVA 1.5 reads and writes 4,096 tokens in all. */
const LlavaInput = object({
  image,
  prompt: v.optional(v.string()),
  max_tokens: v.optional(tokens(4096)),
  temperature: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(5))),
});

const isMoondream = (model: string): boolean => model.startsWith("@cf/moondream/");

export const descriptionInput = (model: string) =>
  isMoondream(model) ? MoondreamInput : LlavaInput;

export function readDescription(body: RunBody, model: string): Reading<"caption"> {
  if (isMoondream(model)) return readMoondream(body);
  const sent = body.kind === "json" ? body.value : { image: body.bytes };
  const parsed = parseInputs(LlavaInput, { kind: "json", value: sent });
  if (parsed.kind !== "parsed") return parsed;
  const unset = unsetIn(sent, OF_DESCRIPTION);
  if (unset !== null) return unset;
  const { inputs } = parsed;
  const read = readImage(inputs.image);
  if (read.kind !== "picture") return read;
  const { prompt, max_tokens, ...rest } = inputs;
  const { image: _, ...parameters } = rest;
  return {
    kind: "task",
    measured: {
      kind: "caption",
      text: tokensAtMost(prompt ?? ""),
      pictures: 1,
      maxTokens: max_tokens ?? null,
    },
    inference: (id, stage) => ({
      model: id,
      picture: read.picture,
      question: prompt ?? null,
      maxTokens: stage.maxTokens ?? 1,
      parameters,
    }),
    result: ({ text: description }) => ({ description }),
  };
}
