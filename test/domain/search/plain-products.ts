import type { Products } from "../../../src/domain/search/code-table.ts";

/** The sums as they are defined. */
export const plainProducts: Products = (query, codes, out) => {
  for (let row = 0; row < out.length; row += 1) {
    out[row] = query.reduce(
      (sum, value, at) => sum + value * (codes[row * query.length + at] ?? 0),
      0,
    );
  }
};
