/**
 * A mutation breaks one rule of the product as a person might break it, and names the tests that guard the
 * rule.
 */
export interface Mutation {
  /** The broken rule in words. */
  readonly what: string;
  readonly file: string;
  /** A passage that the file has exactly once. */
  readonly from: string;
  /** The text that replaces it. */
  readonly to: string;
  /** Files or folders, for vitest. */
  readonly tests: readonly string[];
}
