/** What is known of the account is shown for so long before it is asked. */
const SEEN_MS = 60_000;

/** Who looks waits so long for an answer. */
const WAIT_MS = 1_000;

/** What all tenants are to know, for who looks at it: a tenant that does not call hears of it so. */
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
   * Asks the account if its word is more than a minute old: one message, whoever looks meanwhile. Without an
   * answer within a second, what was known before is what is shown.
   */
  async refresh(wallMs: number): Promise<void> {
    this.#asking ??= this.#ask(wallMs - SEEN_MS).finally(() => {
      this.#asking = null;
    });
    await Promise.race([this.#asking, this.#sleep(WAIT_MS)]);
  }
}
