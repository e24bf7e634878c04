/** An account's view this old is shown without asking for a new one. */
const SEEN_MS = 60_000;

/** A reader waits so long for an answer. */
const WAIT_MS = 1_000;

/** The account's view for readers: a tenant that makes no calls gets it this way. */
export class AccountSight {
  readonly #ask: (unlessSeenSinceMs: number) => Promise<unknown>;
  readonly #sleep: (ms: number) => Promise<void>;
  #asking: Promise<unknown> | null = null;

  /** @param ask never rejects */
  constructor(
    ask: (unlessSeenSinceMs: number) => Promise<unknown>,
    sleep: (ms: number) => Promise<void>,
  ) {
    this.#ask = ask;
    this.#sleep = sleep;
  }

  /**
   * Asks the account if its view is more than a minute old: one message for all readers. Without an
   * answer within a second, the reader gets the old view.
   */
  async refresh(wallMs: number): Promise<void> {
    this.#asking ??= this.#ask(wallMs - SEEN_MS).finally(() => {
      this.#asking = null;
    });
    await Promise.race([this.#asking, this.#sleep(WAIT_MS)]);
  }
}
