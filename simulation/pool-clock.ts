import { START_MS } from "./simulated-tenant.ts";

/** The clock of the world, and those that sleep by it. */
export class PoolClock {
  nowMs = START_MS;
  #sleepers: { readonly untilMs: number; readonly resolve: () => void }[] = [];

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.push({ untilMs: this.nowMs + ms, resolve });
    });
  }

  /** Those whose time has come go on. */
  wake(): void {
    const sleepers = this.#sleepers;
    this.#sleepers = sleepers.filter(({ untilMs }) => untilMs > this.nowMs);
    for (const { untilMs, resolve } of sleepers) if (untilMs <= this.nowMs) resolve();
  }
}
