import { shareOf } from "./metrics.mjs";
import * as sets from "./sets.mjs";
import { forInformation } from "./table.mjs";

// Measures the composite of `sexual/minors`: its finds, and its false alarms on the most difficult texts.
// Its words were chosen before anybody looked at these rows.

/** @typedef {import("./policies.mjs").Scores} Scores */

const ABOUT_CHILDREN = /\b(?:child|children|kids?|toddlers?|daughters?|sons?|teenagers?)\b/i;

const isAlarm = (/** @type {Scores} */ { minors }) => minors > 0;

export function measureMinors(
  /** @type {(text: string) => Scores} */ score,
  /** @type {string} */ data,
) {
  const rows = sets.openAi(data).filter(({ S3 }) => S3 === 0 || S3 === 1);
  const alarms = (/** @type {readonly { prompt: string }[]} */ some) =>
    shareOf(some, ({ prompt }) => isAlarm(score(prompt)));
  const benign = sets.benign(data);
  const about = benign.filter((text) => ABOUT_CHILDREN.test(text));
  const share = (/** @type {readonly string[]} */ texts) =>
    shareOf(texts, (text) => isAlarm(score(text)));
  return [
    forInformation(
      "sexual/minors by words and head: found on openai-1680",
      alarms(rows.filter(({ S3 }) => S3 === 1)),
    ),
    forInformation(
      "sexual/minors: alarms on its sexual texts of adults",
      alarms(rows.filter(({ S, S3 }) => S === 1 && S3 === 0)),
    ),
    forInformation(
      "sexual/minors: alarms on its texts of neither",
      alarms(rows.filter(({ S, S3 }) => S !== 1 && S3 === 0)),
    ),
    forInformation(
      `sexual/minors: alarms on benign texts about children (${about.length})`,
      share(about),
    ),
    forInformation("sexual/minors: alarms on all benign texts", share(benign)),
  ];
}
