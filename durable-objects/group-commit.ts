// Group commit: while one commit is written to the disk, the next batch gathers. Concurrent calls then
// share a transaction, the writes to common rows, and one wait for durability.

/** Operations in one transaction; the rest wait for the next. */
const MAX_BATCH = 128;

interface Waiting<Operation, Result> {
  readonly operation: Operation;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

export class GroupCommit<Operation, Result> {
  readonly #commit: (operations: readonly Operation[]) => readonly Result[];
  readonly #sync: () => Promise<void>;
  #waiting: Waiting<Operation, Result>[] = [];
  #running = false;

  /**
   * @param commit runs all operations in one transaction and returns their results in order; when
   *   it throws, nothing of the batch may have been kept
   * @param sync resolves when what was committed is durable
   */
  constructor(
    commit: (operations: readonly Operation[]) => readonly Result[],
    sync: () => Promise<void>,
  ) {
    this.#commit = commit;
    this.#sync = sync;
  }

  /** How many operations wait for the next commit. The caller decides how many may wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves with the operation's result once it is durable. */
  run(operation: Operation): Promise<Result> {
    const result = new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ operation, resolve, reject });
    });
    if (!this.#running) void this.#drain();
    return result;
  }

  async #drain(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      // eslint-disable-next-line no-await-in-loop -- the next batch gathers while this one syncs
      await this.#commitBatch(batch);
    }
    this.#running = false;
  }

  async #commitBatch(batch: readonly Waiting<Operation, Result>[]): Promise<void> {
    const settle = this.#attempt(batch);
    try {
      await this.#sync();
      for (const tell of settle) tell();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** If a batch throws, each operation is committed alone, so that a bad one does not fail the others. */
  #attempt(batch: readonly Waiting<Operation, Result>[]): (() => void)[] {
    try {
      const results = this.#commit(batch.map(({ operation }) => operation));
      return batch.map(
        ({ resolve }, at) =>
          () =>
            resolve(results[at] as Result),
      );
    } catch (error) {
      const [only] = batch;
      if (batch.length > 1) return batch.flatMap((waiting) => this.#attempt([waiting]));
      return only === undefined ? [] : [() => only.reject(error)];
    }
  }
}
