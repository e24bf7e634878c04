import type { Generators } from "../inference.ts";
import { EXTRACT_MODEL, extract } from "./extract.ts";
import { answerAboutDocument } from "./document-answer.ts";
import { EMBEDDED_TASKS } from "./tasks.ts";
import { pictureIn } from "../made-picture.ts";
import { dimensionsOf, HASHING_MODEL, hashedVector } from "./embedding.ts";
import { makePlaceholder, PLACEHOLDER_MODEL } from "./placeholder-image.ts";
import { embeddedSpeech } from "./placeholder-speech.ts";

/** What the Worker generates without a model: stand-ins that say so, so that each surface can be tried. */
export const EMBEDDED_GENERATORS: Generators = {
  async embeddings(_hold, { model, texts, pooling }) {
    const dimensions = dimensionsOf(model);
    if (dimensions === null || pooling !== undefined) return { kind: "unsupported" };
    const vectors = texts.map((text) => hashedVector(text, dimensions));
    return { kind: "answered", model: HASHING_MODEL, output: { vectors }, usage: null };
  },
  async chat(_hold, inference) {
    const read = answerAboutDocument(inference);
    if (read !== null) return { kind: "answered", model: EXTRACT_MODEL, output: read, usage: null };
    const extracted = extract(inference);
    if (extracted.kind === "unsupported") return extracted;
    return { kind: "answered", model: EXTRACT_MODEL, output: extracted.output, usage: null };
  },
  ...EMBEDDED_TASKS,
  async picture(_hold, inference) {
    const output = pictureIn(await makePlaceholder(inference), inference.maxBytes);
    if (output === null) return { kind: "failed", usage: null };
    return { kind: "answered", model: PLACEHOLDER_MODEL, output, usage: null };
  },
  speech: embeddedSpeech,
};
