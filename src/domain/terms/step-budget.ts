// Where comparing a text with terms ends.

/**
 * Ordinary texts take fewer than six steps a character, whatever the number of terms. A list made of
 * beginnings of itself would take hundreds, of a text that is made for it.
 */
const MOST_STEPS_A_CHARACTER = 12;
const LEAST_STEPS = 300_000;

export class TooMuchToCompare extends Error {}

/** What one list may look at of a text. */
export class StepBudget {
  count = 0;
  readonly #most: number;

  constructor(characters: number) {
    this.#most = Math.max(LEAST_STEPS, MOST_STEPS_A_CHARACTER * characters);
  }

  /** Throws `TooMuchToCompare`. */
  take(): void {
    this.count += 1;
    if (this.count > this.#most) throw new TooMuchToCompare();
  }
}

/** What of a text is looked at, so that a test can count it. */
export interface Steps {
  count: number;
}
