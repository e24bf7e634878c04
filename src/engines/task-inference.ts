import type { Label } from "./engine.ts";
import type { Picture } from "./picture.ts";

// The small tasks, in one form for all surfaces and all engines: see inference.ts.

export interface ClassificationInference {
  readonly model: string;
  readonly text: string;
}

export interface RerankingInference {
  readonly model: string;
  readonly query: string;
  readonly contexts: readonly string[];
  /** How many of the best are wanted; null: all. */
  readonly topK: number | null;
}

export interface Rank {
  /** The context's place in the request. */
  readonly context: number;
  readonly score: number;
}

export interface RecognitionInference {
  readonly model: string;
  readonly picture: Picture;
}

/** In pixels, as the model gives it. */
export interface Box {
  readonly xmin: number;
  readonly ymin: number;
  readonly xmax: number;
  readonly ymax: number;
}

export interface SeenObject extends Label {
  readonly box: Box;
}

export interface CaptionInference {
  readonly model: string;
  /** A picture that was sent, an https URL that the model's host reads, or none. */
  readonly picture: Picture | URL | null;
  /** Null: describe it. */
  readonly question: string | null;
  /** Always sent: without it a model writes as long as it likes. */
  readonly maxTokens: number;
  /** The caller's own parameters, only those known to add no cost: `temperature`. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface CaptionOutput {
  readonly text: string;
  /** Why the text ends, in the model's own word; null: not reported. */
  readonly finish: string | null;
  /** Counts and times as the model gave them. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface TranslationInference {
  readonly model: string;
  readonly texts: readonly string[];
  /** As the caller named them. */
  readonly source: string;
  readonly target: string;
}
