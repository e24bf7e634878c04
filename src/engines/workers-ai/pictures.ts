import type { Generate, PictureInference } from "../inference.ts";
import { imageOf, maxReplyBytes, pictureIn } from "../made-picture.ts";
import type { Picture } from "../picture.ts";
import { runForBytes } from "./bytes.ts";

// The inputs of the `AI` binding's picture models. Source of each form: their schemas in
// @cloudflare/workers-types, and for FLUX.2 the announcements, which list the fields of the form.

/** Answers are `{ image: base64 }` (FLUX, Lucid Origin) or the bytes themselves; both are read. */
export const workersAiPicture =
  (ai: Ai): Generate<"picture"> =>
  async (_hold, inference, options) => {
    const form = FORMS.find(({ models }) => models.test(inference.model));
    if (form === undefined) return { kind: "unsupported" };
    const { maxBytes } = inference;
    const inputs = form.inputs(inference);
    const bounded = { ...options, maxBytes: maxReplyBytes(maxBytes) };
    const reply = await runForBytes(ai, inference.model, inputs, bounded);
    if (reply.kind !== "replied") return reply;
    const output = pictureIn(imageOf(reply.value), maxBytes);
    if (output === null) return { kind: "failed", usage: null };
    return { kind: "answered", model: inference.model, output, usage: null };
  };

const FORMS: readonly {
  readonly models: RegExp;
  readonly inputs: (inference: PictureInference) => unknown;
}[] = [
  { models: /\/flux-1-schnell$/, inputs: ({ prompt, steps }) => ({ prompt, steps }) },
  { models: /\/flux-2-/, inputs: multipart },
  {
    models: /\/leonardo\//,
    inputs: (inference) => ({
      ...commonInputs(inference),
      ...(inference.negativePrompt !== null && { negative_prompt: inference.negativePrompt }),
    }),
  },
  {
    models: /\/(?:stable-diffusion-|dreamshaper-)/,
    inputs: (inference) => ({
      ...commonInputs(inference),
      ...(inference.negativePrompt !== null && { negative_prompt: inference.negativePrompt }),
      ...(inference.strength !== null && { strength: inference.strength }),
      ...(inference.inputs[0] !== undefined && { image_b64: inference.inputs[0].bytes.toBase64() }),
    }),
  },
];

const commonInputs = ({ prompt, size, steps, seed, guidance }: PictureInference) => ({
  prompt,
  width: size.width,
  height: size.height,
  num_steps: steps,
  ...(seed !== null && { seed }),
  ...(guidance !== null && { guidance }),
});

/** The class sends the stream as the body, with its type: FormData does not reveal its boundary. */
function multipart({ model, prompt, size, steps, seed, guidance, inputs }: PictureInference) {
  const form = new FormData();
  form.set("prompt", prompt);
  form.set("width", String(size.width));
  form.set("height", String(size.height));
  // The distilled models have four steps and no field for them.
  if (!/klein/.test(model)) form.set("steps", String(steps));
  if (seed !== null) form.set("seed", String(seed));
  if (guidance !== null) form.set("guidance", String(guidance));
  for (const [at, picture] of inputs.entries()) form.set(`input_image_${at}`, fileOf(picture));
  const { body, headers } = new Response(form);
  return { multipart: { body, contentType: headers.get("content-type") ?? "" } };
}

const fileOf = ({ bytes, format }: Picture): File =>
  new File([bytes], `picture.${format}`, { type: `image/${format}` });
