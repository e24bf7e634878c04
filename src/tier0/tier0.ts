// A small moderation model inside the Worker. docs/tier0.md says what it judges, how it was trained, and all
// its figures, including the weak ones. It is pure: engines/embedded/text-model.ts passes it the weights.
import { HEADS, type Head, type Scores } from "./heads.ts";
import { knownShare, type KnownShare, KnownWords } from "./known-words.ts";
import { type Minors, minorsIn } from "./minors.ts";
import { Net } from "./net.ts";
import { NgramScorer } from "./ngram-scorer.ts";
import { blended, type Calibration, calibrationsOf, onPolicyScale } from "./points.ts";
import { type Span, spansOf } from "./spans.ts";
import type { Token } from "./token.ts";
import { tokenise } from "./tokenise.ts";
import { readWeights, type Weights } from "./weights.ts";
import { WordTable } from "./word-table.ts";
import { type Window, windowsOf, worthReading } from "./windows.ts";

export interface Judgement {
  readonly scores: Scores;
  /** Signs of sexual content with children; null: none found, which does not prove that there are none. */
  readonly minors: Minors | null;
  /** How much of the text the model can read; the rule for languages uses it. */
  readonly share: KnownShare;
  /** False when the text has more tokens than are read: then it is not judged as a whole. */
  readonly complete: boolean;
  /** The spans that raise a head, in at most about two milliseconds; empty if there are none. */
  readonly spansOf: (head: Head) => readonly Span[];
}

interface Highest {
  readonly logit: number;
  readonly window: Window;
}

export class Tier0 {
  readonly #words: WordTable;
  readonly #known: KnownWords;
  readonly #net: Net;
  readonly #ngrams: NgramScorer;
  readonly #calibrations: readonly Calibration[];
  readonly #logits = new Float64Array(HEADS.length);

  private constructor(weights: Weights) {
    this.#words = new WordTable(weights);
    this.#known = new KnownWords(weights.known);
    this.#net = new Net(weights);
    this.#ngrams = new NgramScorer(weights, this.#words);
    this.#calibrations = calibrationsOf(weights);
  }

  /** Null when the bytes are not weights of this format. */
  static read(bytes: ArrayBuffer): Tier0 | null {
    const weights = readWeights(bytes);
    return weights === null ? null : new Tier0(weights);
  }

  judge(text: string): Judgement {
    const { tokens, complete } = tokenise(text, this.#words);
    const highest = this.#highest(tokens);
    const scores = HEADS.map((head, at) => {
      const [by, found] = [this.#calibrations[at], highest[at]];
      const score =
        by === undefined || found === undefined ? 0 : onPolicyScale(head, by, found.logit);
      return [head, score] as const;
    });
    const byHead = Object.fromEntries(scores) as Record<Head, number>;
    const sexual = { sexual: byHead.sexual, window: highest[HEADS.indexOf("sexual")]?.window };
    return {
      scores: byHead,
      minors: minorsIn(text, tokens, sexual),
      share: knownShare(text, tokens, { known: this.#known, table: this.#words }),
      complete,
      spansOf: (head) => this.#spans(tokens, highest[HEADS.indexOf(head)]?.window, head),
    };
  }

  /** The blended logits, not mapped to points, for the trainer and the evaluation. */
  logits(text: string): number[] {
    return this.#highest(tokenise(text, this.#words).tokens).map(({ logit }) => logit);
  }

  /** Each head's highest logit over the windows; empty without tokens. */
  #highest(tokens: readonly Token[]): Highest[] {
    const windows = windowsOf(tokens.length);
    const sums = this.#ngrams.sum(tokens);
    const quick = windows.map(({ from, to }) => this.#ngrams.score(sums, from, to));
    const highest: Highest[] = [];
    for (const place of worthReading(quick)) {
      const window = windows[place];
      if (window === undefined) continue;
      this.#net.score(tokens, window.from, window.to, this.#logits);
      for (const [head, by] of this.#calibrations.entries()) {
        const logit = blended(by, this.#logits[head] ?? 0, quick[place]?.[head] ?? 0);
        if (logit > (highest[head]?.logit ?? -Infinity)) highest[head] = { logit, window };
      }
    }
    return highest;
  }

  #spans(tokens: readonly Token[], window: Window | undefined, head: Head): Span[] {
    if (window === undefined) return [];
    const { from, to } = window;
    const at = HEADS.indexOf(head);
    const by = this.#calibrations[at];
    this.#net.score(tokens, from, to, this.#logits);
    const net = this.#net.attribute(to - from, at);
    const ngrams = this.#ngrams.attribute(tokens, [from, to], at);
    const shares = net.map(
      (share, token) => share * (by?.net ?? 0) + (ngrams[token] ?? 0) * (by?.ngrams ?? 0),
    );
    return spansOf(tokens.slice(from, to), shares);
  }
}
