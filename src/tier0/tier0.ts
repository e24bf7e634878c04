import { BLOCK_AT, type Head, HEADS, type Scores } from "./heads.ts";
import { knownShare, type KnownShare, KnownWords, type Token, WordTable } from "./vocabulary.ts";
import { type Minors, minorsIn } from "./minors.ts";
import { Net, WINDOW, NgramScorer } from "./scorers.ts";
import { tokenise } from "./tokenise.ts";
import { CALIBRATION, readWeights, type Weights } from "./weights.ts";

// A small moderation model inside the Worker. docs/tier0.md says what it judges, how it was trained, and all
// its figures, including the weak ones. It is pure: engines/embedded/text-model.ts passes it the weights.

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

// A long text is read in overlapping windows, and each head takes its highest score of them. If there are
// many windows, the net reads only those that the quick scorer ranks highest, for each head in turn: if only
// one head ranked them, a page of swear words would hide a threat.

interface Window {
  readonly from: number;
  readonly to: number;
}

const STEP = 48;

/** The most windows of one text that the net reads. */
export const MOST_WINDOWS = 16;

export function windowsOf(tokens: number): Window[] {
  const windows: Window[] = [];
  for (let from = 0; from < tokens; from += STEP) {
    windows.push({ from, to: Math.min(tokens, from + WINDOW) });
    if (from + WINDOW >= tokens) break;
  }
  return windows;
}

/** The indexes of the windows to read, by the quick logits of all windows. */
export function worthReading(quick: readonly Float64Array[]): number[] {
  if (quick.length <= MOST_WINDOWS) return [...quick.keys()];
  const rankings = HEADS.map((_, head) =>
    [...quick.keys()].toSorted((a, b) => (quick[b]?.[head] ?? 0) - (quick[a]?.[head] ?? 0)),
  );
  const chosen = new Set<number>();
  for (let place = 0; chosen.size < MOST_WINDOWS; place += 1) {
    for (const ranking of rankings) {
      const window = ranking[place];
      if (window !== undefined && chosen.size < MOST_WINDOWS) chosen.add(window);
    }
  }
  return [...chosen];
}

// Maps the logits of a head to the scale of policies, where a raw probability means nothing. Each head has a
// flag point and a block point, chosen on development data (docs/tier0.md). The logits are mapped so that the
// flag point becomes 0.5, and the block point becomes the score from which the `default` preset blocks. The
// map is monotone: it keeps the order of texts.

interface Calibration {
  readonly net: number;
  readonly ngrams: number;
  readonly bias: number;
  readonly flag: number;
  readonly block: number;
}

export const calibrationsOf = ({ dense }: Weights): readonly Calibration[] =>
  HEADS.map((_, head) => {
    const from = head * CALIBRATION;
    const [net = 0, ngrams = 0, bias = 0, flag = 0, block = 0] = dense.calibration.subarray(
      from,
      from + CALIBRATION,
    );
    return { net, ngrams, bias, flag, block };
  });

const blended = (by: Calibration, net: number, ngrams: number): number =>
  by.net * net + by.ngrams * ngrams + by.bias;

const logit = (share: number): number => Math.log(share / (1 - share));

/** From 0 to 1: 0.5 at the flag point, `BLOCK_AT` at the block point. */
export function onPolicyScale(head: Head, by: Calibration, value: number): number {
  const above = value - by.flag;
  const slope = above > 0 ? logit(BLOCK_AT[head]) / (by.block - by.flag) : 1;
  return 1 / (1 + Math.exp(-above * slope));
}

/** UTF-16 units of the original text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** More spans would explain nothing. */
const MOST_SPANS = 5;

/** A token counts if its share is at least this part of the highest. */
const SHARE = 0.4;

/** The places of the tokens with the highest shares, neighbours joined, in the order of the text. */
export function spansOf(tokens: readonly Token[], shares: readonly number[]): Span[] {
  const highest = shares.reduce((most, share) => Math.max(most, share), 0);
  if (highest <= 0) return [];
  const strong = [...shares.keys()]
    .filter((at) => (shares[at] ?? 0) >= SHARE * highest)
    .toSorted((a, b) => (shares[b] ?? 0) - (shares[a] ?? 0))
    .slice(0, MOST_SPANS)
    .toSorted((a, b) => a - b);
  const spans: Span[] = [];
  let before = -2;
  for (const at of strong) {
    const token = tokens[at];
    if (token === undefined) continue;
    const last = spans.at(-1);
    if (last !== undefined && at === before + 1) {
      spans[spans.length - 1] = { start: last.start, end: token.end };
    } else spans.push({ start: token.start, end: token.end });
    before = at;
  }
  return spans;
}
