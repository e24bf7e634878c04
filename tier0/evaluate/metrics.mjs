/** @typedef {{ positive: boolean, score: number }} Scored */

/** AUC: the chance that a positive has a higher score than a negative; ties count half. */
export function auc(/** @type {Scored[]} */ rows) {
  const sorted = rows.toSorted((a, b) => a.score - b.score);
  let positives = 0;
  let sumOfRanks = 0;
  for (let at = 0; at < sorted.length;) {
    let end = at;
    while (end < sorted.length && sorted[end]?.score === sorted[at]?.score) end += 1;
    const rank = (at + 1 + end) / 2;
    for (; at < end; at += 1) {
      if (sorted[at]?.positive) {
        positives += 1;
        sumOfRanks += rank;
      }
    }
  }
  const negatives = sorted.length - positives;
  return (sumOfRanks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Average precision: the precision at each positive, from the highest score down. */
export function averagePrecision(/** @type {Scored[]} */ rows) {
  const sorted = rows.toSorted((a, b) => b.score - a.score);
  let seen = 0;
  let found = 0;
  let sum = 0;
  for (let at = 0; at < sorted.length;) {
    let end = at;
    let positives = 0;
    while (end < sorted.length && sorted[end]?.score === sorted[at]?.score) {
      if (sorted[end]?.positive) positives += 1;
      end += 1;
    }
    seen += end - at;
    found += positives;
    sum += positives * (found / seen);
    at = end;
  }
  return sum / found;
}

/** The share of positives above the threshold that the given share of negatives exceeds. */
export function recallAt(
  /** @type {number[]} */ positives,
  /** @type {number[]} */ negatives,
  share = 0.05,
) {
  const sorted = negatives.toSorted((a, b) => b - a);
  const threshold = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 1;
  return { threshold, recall: shareOf(positives, (score) => score > threshold) };
}

/**
 * @template T
 * @param {readonly T[]} values
 * @param {(value: T) => boolean} has
 */
export const shareOf = (values, has) => values.filter(has).length / values.length;

export function quantile(/** @type {number[]} */ values, /** @type {number} */ share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Spearman's rank correlation: how similar two orders are. */
export function rankCorrelation(/** @type {number[]} */ a, /** @type {number[]} */ b) {
  const [x, y] = [ranksOf(a), ranksOf(b)];
  const mean = (a.length + 1) / 2;
  let together = 0;
  let ofX = 0;
  let ofY = 0;
  for (const [at, rank] of x.entries()) {
    const other = (y[at] ?? 0) - mean;
    together += (rank - mean) * other;
    ofX += (rank - mean) ** 2;
    ofY += other ** 2;
  }
  return together / Math.sqrt(ofX * ofY);
}

/** From 1 on; equal values share the mean of their ranks. */
function ranksOf(/** @type {number[]} */ values) {
  const order = [...values.keys()].toSorted((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  /** @type {number[]} */
  const ranks = [];
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to += 1;
    for (const at of order.slice(from, to)) ranks[at] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}
