// The limit of the work of comparing a text with terms.

/**
 * Ordinary texts take fewer than six steps a character, for any number of terms. A list of terms that begin
 * with each other would take hundreds, with a text that is made for it.
 */
const MOST_STEPS_A_CHARACTER = 12;
const LEAST_STEPS = 300_000;

export class TooMuchToCompare extends Error {}

/** The steps that one list may take for a text. */
export class StepBudget {
  count = 0;
  readonly #most: number;

  constructor(characters: number) {
    this.#most = Math.max(LEAST_STEPS, MOST_STEPS_A_CHARACTER * characters);
  }

  /** @throws TooMuchToCompare */
  take(): void {
    this.count += 1;
    if (this.count > this.#most) throw new TooMuchToCompare();
  }
}

/** Counts the steps taken, for tests. */
export interface Steps {
  count: number;
}
