import { field } from "../engine-call.ts";
import type { Generate } from "../inference.ts";
import { maxReplyBytes, pictureIn } from "../made-picture.ts";
import { namedModel, type OpenAiOptions, postJson } from "./call.ts";

// `POST /images/generations` of an OpenAI-compatible server. OpenAI's own API has a prompt and a size.
// Some local servers also take `seed` and `negative_prompt`. We send these only where the caller gave
// them: a server that refuses them has run nothing, and nothing is charged.

/** These always give base64 and refuse the parameter that asks for it. */
const BASE64_ONLY = /^(?:gpt|chatgpt)-image/;

export const openAiPicture =
  (server: OpenAiOptions): Generate<"picture"> =>
  async (_hold, inference, options) => {
    const { prompt, negativePrompt, size, seed, inputs, maxBytes } = inference;
    const model = namedModel(server, inference.model);
    if (model === undefined || inputs.length > 0) return { kind: "unsupported" };
    const body = {
      model,
      prompt,
      n: 1,
      size: `${size.width}x${size.height}`,
      ...(!BASE64_ONLY.test(model) && { response_format: "b64_json" }),
      ...(seed !== null && { seed }),
      ...(negativePrompt !== null && { negative_prompt: negativePrompt }),
    };
    const bounded = { ...options, maxBytes: maxReplyBytes(maxBytes) };
    const reply = await postJson(server, "/images/generations", body, bounded);
    if (reply.kind !== "replied") return reply;
    const data = field(reply.value, "data");
    const [first] = Array.isArray(data) ? (data as readonly unknown[]) : [];
    // A URL is not followed: it would be a request to an address of that server's choice.
    const output = pictureIn(field(first, "b64_json"), maxBytes);
    if (output === null) return { kind: "failed", usage: null };
    return { kind: "answered", model, output, usage: null };
  };
