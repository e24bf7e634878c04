import type { Hold } from "../domain/ledger/ledger.ts";
import type { GenerationKind } from "../domain/generation/plan-generation.ts";
import type { Size, Usage } from "../domain/catalogue/catalogue.ts";
import type { CheckOptions, Label, ServedBy, Unanswered } from "./engine.ts";
import type { TokenLogprob } from "./logprobs.ts";
import type { Picture } from "./picture.ts";
import type {
  Speech,
  SpeechInference,
  Transcript,
  TranscriptionInference,
} from "./sound-inference.ts";
import type {
  CaptionInference,
  CaptionOutput,
  ClassificationInference,
  RecognitionInference,
  Rank,
  RerankingInference,
  SeenObject,
  TranslationInference,
} from "./task-inference.ts";

// What an engine can be asked to generate, in one form for all surfaces and all engines. Routes
// translate requests into this form; adapters translate it into the form of their server.

/** A message in OpenAI's form, which all chat engines take: text, or parts of text and pictures. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string | readonly ChatPart[] | null;
  readonly name?: string;
  readonly tool_calls?: readonly ToolCall[];
  readonly tool_call_id?: string;
}

export type ChatPart =
  | { readonly type: "text"; readonly text: string }
  /** A data URI: pictures that were named by URL have been fetched. */
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } };

export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface ChatInference {
  /** The catalogue id of the model to call. */
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  /** Always sent: without it a model writes as long as it likes. */
  readonly maxTokens: number;
  /** The caller's own parameters, only those known to add no cost: `temperature`, `tools`. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export const FINISH_REASONS = ["stop", "length", "tool_calls", "content_filter"] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

export interface ChatOutput {
  /** Null where the model only calls tools. */
  readonly content: string | null;
  /** The model's reasoning, where the engine reports it; it is charged like the answer. */
  readonly reasoning: string | null;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason;
  /** Of the content's tokens, where they were asked for and the engine reports them. */
  readonly logprobs?: readonly TokenLogprob[];
}

/** A piece of a tool call, as OpenAI streams them: an absent field came earlier, or comes later. */
export interface ToolCallDelta {
  /** Which of the answer's calls this is. */
  readonly index: number;
  readonly id?: string;
  readonly name?: string;
  readonly arguments?: string;
}

/** A piece of a streamed answer, in the order of arrival. A stream that ends without `end` was cut. */
export type ChatEvent =
  /** The text may be empty where its tokens are a part of a character. */
  | { readonly kind: "text"; readonly text: string; readonly logprobs?: readonly TokenLogprob[] }
  | { readonly kind: "reasoning"; readonly text: string }
  | { readonly kind: "tool_calls"; readonly deltas: readonly ToolCallDelta[] }
  | { readonly kind: "finish"; readonly reason: FinishReason }
  /**
   * Usage so far: the last one counts, they are never added up. Null: the engine reported an
   * implausible usage, so that earlier ones do not count either.
   */
  | { readonly kind: "usage"; readonly usage: Usage | null }
  /** In the place of `end`: the stream was not cut, but it had no answer. Its usage is whole. */
  | { readonly kind: "unanswered" }
  | { readonly kind: "end" };

export interface EmbeddingsInference {
  readonly model: string;
  readonly texts: readonly string[];
  /** How the tokens' vectors become one, where the caller wants another way than the model's own. */
  readonly pooling?: "cls";
}

/** One picture. A field is null if the model has no such parameter, or if its value is in the prompt. */
export interface PictureInference {
  readonly model: string;
  readonly prompt: string;
  readonly negativePrompt: string | null;
  readonly size: Size;
  /** Always sent, as is the size: the cost depends on both. */
  readonly steps: number;
  readonly seed: number | null;
  readonly guidance: number | null;
  /** How far the picture may differ from `inputs`, 0 to 1. */
  readonly strength: number | null;
  /** The pictures that it starts from. */
  readonly inputs: readonly Picture[];
  /** A longer answer is `failed`. */
  readonly maxBytes: number;
}

export interface Inferences {
  readonly chat: ChatInference;
  readonly embeddings: EmbeddingsInference;
  readonly classification: ClassificationInference;
  readonly reranking: RerankingInference;
  readonly labels: RecognitionInference;
  readonly objects: RecognitionInference;
  readonly caption: CaptionInference;
  readonly translation: TranslationInference;
  readonly picture: PictureInference;
  readonly transcription: TranscriptionInference;
  readonly speech: SpeechInference;
}

export interface Outputs {
  readonly chat: ChatOutput;
  /** One vector for each text, in order. */
  readonly embeddings: { readonly vectors: readonly (readonly number[])[] };
  /** The likeliest first. */
  readonly classification: { readonly labels: readonly Label[] };
  /** The best first, each by its place in `contexts`. */
  readonly reranking: { readonly ranks: readonly Rank[] };
  readonly labels: { readonly labels: readonly Label[] };
  readonly objects: { readonly objects: readonly SeenObject[] };
  readonly caption: CaptionOutput;
  /** One for each text, in order. */
  readonly translation: { readonly translations: readonly string[] };
  /** Its format is read from its bytes; a declared media type is ignored. */
  readonly picture: Picture;
  readonly transcription: Transcript;
  readonly speech: Speech;
}

export interface Answered<Kind extends GenerationKind> {
  readonly kind: "answered";
  /** The model that really ran: a catalogue id, or `neurogate/<name>@<version>`. */
  readonly model: string;
  readonly output: Outputs[Kind];
  /** Units as the engine reported them; null when its reply carries none. */
  readonly usage: Usage | null;
  readonly servedBy?: ServedBy;
}

export interface ChatStream {
  readonly kind: "streaming";
  readonly model: string;
  /**
   * Read on demand, never ahead. It ends soon after the signal that it was opened with fires, and
   * never throws.
   */
  readonly events: AsyncGenerator<ChatEvent, void>;
  readonly servedBy?: ServedBy;
}

/** Takes the hold, so that no engine can run without one. Never throws because of the engine. */
export type Generate<Kind extends GenerationKind> = (
  hold: Hold,
  inference: Inferences[Kind],
  options: CheckOptions,
) => Promise<Answered<Kind> | Unanswered>;

/** What an engine can generate; a kind without a function is `unsupported`. */
export type Generators = { readonly [Kind in GenerationKind]?: Generate<Kind> };

/** Resolves when the first byte of the answer is there. The signal ends the stream at any time. */
export type StreamChat = (
  hold: Hold,
  inference: ChatInference,
  options: CheckOptions,
) => Promise<ChatStream | Unanswered>;
