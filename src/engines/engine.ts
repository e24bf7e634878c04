import type { Category, Scores } from "../domain/moderation/category.ts";
import type { Rejection } from "../domain/ledger/failure.ts";
import type { Hold } from "../domain/ledger/ledger.ts";
import type { Usage } from "../domain/catalogue/price.ts";
import type { Quoted } from "../domain/moderation/vision.ts";
import type { Generators, StreamChat } from "./inference.ts";
import type { Picture } from "./picture.ts";

// One interface, three adapters (`workers-ai`, `openai`, `embedded`), chosen by `INFERENCE`.
//
// The seam lies at the check ("how toxic is this text?"), not at the model call: an engine without
// a language model can then answer the same question by other means and say so, and a trained
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
  /** Of the whole text, ISO 639-1; null: nobody can say. Then the engine says whether it can read it. */
  readonly language: string | null;
}

/** An ImageNet label as the engine named it; `score` from 0 to 1. */
export interface Label {
  readonly name: string;
  readonly score: number;
}

/** What was measured of a picture's pixels; a report, not a judgement. */
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
      /** What really ran: a catalogue id, or `neurogate/<name>@<version>`. */
      readonly model: string;
      /** Only of what was evaluated; empty when the engine could judge nothing of it. */
      readonly scores: Scores;
      readonly labels?: readonly Label[];
      readonly measurements?: Measurements;
      /** The writing that a vision model sees in the picture; absent: it does not say. */
      readonly quoted?: Quoted;
      /** The version of what a language model was told; absent where none judged. */
      readonly instructions?: string;
      /** Units as the engine reported them; null when its reply carries none. */
      readonly usage: Usage | null;
    }
  | Unanswered;

/** How any engine call ends that gave no answer. */
export type Unanswered =
  /** This engine has nothing for such a call, or not with that parameter: nothing ran. */
  | {
      readonly kind: "unsupported";
      readonly parameter?: string;
      /** Why, as a sentence of ours, where the engine can say it. */
      readonly detail?: string;
      /**
       * A picture of more pixels than this engine's own model has room for; a text in no language that
       * can be told, with too few words that it knows, or of more than it reads.
       */
      readonly because?: "too_many_pixels" | "unknown_words" | "too_long";
    }
  /** Refused before it ran, so nothing is charged. `code` is the engine's own, if it gave one. */
  | {
      readonly kind: "refused";
      readonly code: number | null;
      /** The HTTP status, where one came. */
      readonly status?: number;
      /** Where it is the request itself that is not taken. */
      readonly rejection?: Rejection;
      /** A repeat may succeed: no capacity (3040), or the connection was never made. */
      readonly retryable: boolean;
      /**
       * A picture of which nothing can be said: it cannot be decoded, or its model is not there. The
       * model inside the Worker that reads texts is not there.
       */
      readonly because?: "picture_unreadable" | "model_unavailable";
      /** 3036 or 4006: the Cloudflare account's own allocation of the day is gone. */
      readonly accountExhausted: boolean;
    }
  /** It may have run and may be billed: a timeout, an abort, 3007, 3008. */
  | { readonly kind: "timed_out" }
  /**
   * It ran, or may have, and what came is of no use: a lost connection, malformed JSON, an answer
   * that is not exactly the schema, a 5xx without a code. `usage` when it was reported all the same.
   */
  | {
      readonly kind: "failed";
      readonly usage: Usage | null;
      /** The HTTP status, where one came that is no good one. */
      readonly status?: number;
      /** It is the request itself that was not taken, though the model may have run. */
      readonly rejection?: Rejection;
      /** It answered, and not as it was asked to. */
      readonly malformed?: true;
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
  /** Takes the hold, so that no engine can run without one. Never throws for what an engine does. */
  run(hold: Hold, check: Check, options: CheckOptions): Promise<CheckOutcome>;
  /** What it can make beside judging. */
  readonly infers: Generators;
  /** A chat as it is written; null: this engine does not stream. */
  readonly streamChat: StreamChat | null;
}
