import type { Category, Scores } from "../domain/moderation/category.ts";
import type { Rejection } from "../domain/ledger/failure.ts";
import type { Hold } from "../domain/ledger/ledger.ts";
import type { Usage } from "../domain/catalogue/catalogue.ts";
import type { Quoted } from "../domain/moderation/vision.ts";
import type { Generators, StreamChat } from "./inference.ts";
import type { Picture } from "./picture.ts";

// One interface, three adapters (`workers-ai`, `openai`, `embedded`), chosen by `INFERENCE`.
//
// The interface is drawn at the check ("how toxic is this text?"), not at the model call. So an engine
// without a language model can answer the same question by other means and say so, and a trained
// model can replace those means without a change elsewhere.

export type EngineName = "workers-ai" | "openai" | "embedded";

/** One question to an engine: one engine call, one unit of its rate class. */
export type Check =
  | TextCheck<"sentiment">
  | TextCheck<"judge">
  | { readonly name: "labels"; readonly model: string; readonly picture: Picture }
  | { readonly name: "vision"; readonly model: string; readonly picture: Picture };

export interface TextCheck<Name extends "sentiment" | "judge"> {
  readonly name: Name;
  readonly model: string;
  readonly text: string;
  /** Language of the whole text, ISO 639-1; null: unknown. Then the engine decides if it can read it. */
  readonly language: string | null;
}

/** An ImageNet label as the engine named it; `score` from 0 to 1. */
export interface Label {
  readonly name: string;
  readonly score: number;
}

/** Measurements of a picture's pixels; they are reported, not judged. */
export interface Measurements {
  readonly format: "png" | "jpeg" | "webp";
  readonly width: number;
  readonly height: number;
  /** Mean luminance from 0 (black) to 1 (white), Rec. 709. */
  readonly brightness: number;
  /** Standard deviation of luminance, 0 to 0.5: near 0 is a blank picture. */
  readonly contrast: number;
  /** Hasler and Süsstrunk's colourfulness, 0 (grey) upwards. */
  readonly colourfulness: number;
}

/** How a check ended. Expected failures are values; only bugs throw. */
export type CheckOutcome =
  | {
      readonly kind: "answered";
      /** The model that really ran: a catalogue id, or `neurogate/<name>@<version>`. */
      readonly model: string;
      /** Scores of the categories that were evaluated; empty when the engine could judge none. */
      readonly scores: Scores;
      readonly labels?: readonly Label[];
      readonly measurements?: Measurements;
      /** The writing that a vision model sees in the picture; absent: not reported. */
      readonly quoted?: Quoted;
      /** The version of the instructions to a language model; absent where no such model judged. */
      readonly instructions?: string;
      /** Units as the engine reported them; null when its reply carries none. */
      readonly usage: Usage | null;
      readonly servedBy?: ServedBy;
    }
  | Unanswered;

/** A cache in front of the engine that answered in its place: nothing ran, and nothing is charged. */
export type ServedBy = "ai-gateway-cache";

/** How an engine call without an answer ended. */
export type Unanswered =
  /** This engine does not support such a call, or that parameter: nothing ran. */
  | {
      readonly kind: "unsupported";
      readonly parameter?: string;
      /** The reason as a sentence, where the engine gives one. */
      readonly detail?: string;
      /**
       * `too_many_pixels`: the picture has more pixels than the engine's own model can take.
       * `unknown_words`: the text's language is unknown, and the model knows too few of its words.
       * `too_long`: the text is longer than what the model reads.
       */
      readonly because?: "too_many_pixels" | "unknown_words" | "too_long";
    }
  /** Refused before it ran, so nothing is charged. `code` is the engine's own, if it gave one. */
  | {
      readonly kind: "refused";
      readonly code: number | null;
      /** The HTTP status, where one came. */
      readonly status?: number;
      /** Present when the engine rejected the request itself. */
      readonly rejection?: Rejection;
      /** A repeat may succeed: no capacity (3040), or the connection was never made. */
      readonly retryable: boolean;
      /** How long the engine asks to wait before that, 1 s to 1 h; absent: it does not say. */
      readonly retryAfterMs?: number;
      /**
       * `picture_unreadable`: the picture cannot be decoded, or the picture model is missing.
       * `model_unavailable`: the text model inside the Worker is missing.
       */
      readonly because?: "picture_unreadable" | "model_unavailable";
      /** 3036 or 4006: the Cloudflare account's own allocation of the day is used up. */
      readonly accountExhausted: boolean;
    }
  /** It may have run and may be billed: a timeout, an abort, 3007, 3008. */
  | { readonly kind: "timed_out" }
  /**
   * It ran, or may have run, and gave nothing usable: a lost connection, malformed JSON, an answer that
   * does not match the schema exactly, a 5xx without a code. `usage` is set if it was reported anyway.
   */
  | {
      readonly kind: "failed";
      readonly usage: Usage | null;
      /** The HTTP status, where an error status came. */
      readonly status?: number;
      /** Present when the engine rejected the request itself, though the model may have run. */
      readonly rejection?: Rejection;
      /** It answered, but not in the form we asked for. */
      readonly malformed?: true;
      readonly servedBy?: ServedBy;
    };

export interface CheckOptions {
  /** Milliseconds until the check is given up as `timed_out`. */
  readonly timeoutMs: number;
  /** Ends the check early, as `timed_out`. */
  readonly signal?: AbortSignal;
}

export interface Engine {
  readonly name: EngineName;
  /**
   * The languages (ISO 639-1) that this engine can judge in such a check with that model; null when
   * it does not depend on language. Text that is certainly in none of them is not sent.
   */
  languages(name: Check["name"], model: string): readonly string[] | null;
  /** The categories it can score in such a check. Empty: `unsupported`. */
  judges(name: Check["name"], model: string): readonly Category[];
  /** Takes the hold, so that no engine can run without one. Never throws because of the engine. */
  run(hold: Hold, check: Check, options: CheckOptions): Promise<CheckOutcome>;
  /** What it can generate beside its checks. */
  readonly generators: Generators;
  /** Streams a chat; null: this engine does not stream. */
  readonly streamChat: StreamChat | null;
}
