// Maps the logits of a head to the scale of policies, where a raw probability means nothing. Each head has a
// flag point and a block point, chosen on development data (docs/tier0.md). The logits are mapped so that the
// flag point becomes 0.5, and the block point becomes the score from which the `default` preset blocks. The
// map is monotone: it keeps the order of texts.
import { BLOCK_AT, HEADS, type Head } from "./heads.ts";
import { CALIBRATION, type Weights } from "./weights.ts";

export interface Calibration {
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

export const blended = (by: Calibration, net: number, ngrams: number): number =>
  by.net * net + by.ngrams * ngrams + by.bias;

const logit = (share: number): number => Math.log(share / (1 - share));

/** From 0 to 1: 0.5 at the flag point, `BLOCK_AT` at the block point. */
export function onPolicyScale(head: Head, by: Calibration, value: number): number {
  const above = value - by.flag;
  const slope = above > 0 ? logit(BLOCK_AT[head]) / (by.block - by.flag) : 1;
  return 1 / (1 + Math.exp(-above * slope));
}
