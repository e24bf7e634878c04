import type { PictureTraits } from "./picture-traits.ts";

// The words that are added to a prompt. A style always becomes words, since no model has a parameter for
// it. A negative prompt becomes words where the model has no parameter for it.

export const PICTURE_STYLES = [
  "photorealistic",
  "anime",
  "oil-painting",
  "watercolor",
  "digital-art",
  "sketch",
] as const;
export type PictureStyle = (typeof PICTURE_STYLES)[number];

const WORDS: Readonly<Record<PictureStyle, string>> = {
  photorealistic: "a photorealistic photograph, natural light, fine detail",
  anime: "anime style, clean line art, cel shading",
  "oil-painting": "an oil painting, visible brush strokes, rich colours",
  watercolor: "a watercolor painting, soft washes on textured paper",
  "digital-art": "digital art, crisp detail, vivid colours",
  sketch: "a pencil sketch, black and white, hatched shading",
};

export const styleWords = (style: PictureStyle): string => WORDS[style];

const AND_STYLE = ", ";
const AND_AVOID = ". Avoid: ";

export const styledPrompt = (prompt: string, words: string | null): string =>
  words === null ? prompt : prompt + AND_STYLE + words;

export interface PromptWords {
  /** With its style, as `styledPrompt` makes it. */
  readonly prompt: string;
  readonly negativePrompt: string | null;
}

/** How a negative prompt reaches the model; null: there is none. */
export type NegativeBy = "parameter" | "prompt" | null;

export const negativeBy = (given: boolean, traits: PictureTraits): NegativeBy => {
  if (!given) return null;
  return traits.negativePrompt ? "parameter" : "prompt";
};

/** The prompt as it is sent. */
export const sentPrompt = ({ prompt, negativePrompt }: PromptWords, by: NegativeBy): string =>
  by === "prompt" && negativePrompt !== null ? prompt + AND_AVOID + negativePrompt : prompt;

/** The length of `sentPrompt`, from lengths alone: planning measures a prompt and never reads it. */
export const sentPromptChars = (
  { promptChars, negativeChars }: { readonly promptChars: number; readonly negativeChars: number },
  by: NegativeBy,
): number => (by === "prompt" ? promptChars + AND_AVOID.length + negativeChars : promptChars);
