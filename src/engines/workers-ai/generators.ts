import { MAX_VECTORS_BYTES, readVectors } from "../embedding-vectors.ts";
import { field } from "../engine-call.ts";
import type { Generate, Generators } from "../inference.ts";
import { chat } from "./chat.ts";
import { runModel } from "./call.ts";
import { workersAiPicture } from "./pictures.ts";
import { workersAiSound } from "./sound.ts";
import { workersAiTasks } from "./tasks.ts";

/** What the `AI` binding generates. */
export const workersAiGenerators = (ai: Ai): Generators => ({
  chat: chat(ai),
  embeddings: embeddings(ai),
  ...workersAiTasks(ai),
  picture: workersAiPicture(ai),
  ...workersAiSound(ai),
});

/** `{ text: [...] }` is answered with `{ data: number[][] }`. Source: bge-base-en-v1.5's schema. */
const embeddings =
  (ai: Ai): Generate<"embeddings"> =>
  async (_hold, { model, texts, pooling }, options) => {
    const bounded = { ...options, maxBytes: MAX_VECTORS_BYTES };
    const inputs = { text: texts, ...(pooling !== undefined && { pooling }) };
    const reply = await runModel(ai, model, inputs, bounded);
    if (reply.kind !== "replied") return reply;
    const vectors = readVectors(field(reply.value, "data"), texts.length);
    if (vectors === null) return { kind: "failed", usage: null };
    return { kind: "answered", model, output: { vectors }, usage: null };
  };
