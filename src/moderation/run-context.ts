import type { Model } from "../domain/catalogue/catalogue.ts";
import type { Hold } from "../domain/ledger/ledger.ts";
import type { Engine } from "../engines/engine.ts";
import type { Gate } from "./gate.ts";

/** What the stages of one admitted call share. */
export interface RunContext {
  readonly engine: Engine;
  readonly hold: Hold;
  /** The catalogue's model with the platform's price; planned stages name no other. */
  readonly modelOf: (id: string) => Model;
  readonly nowMs: () => number;
  /** What has not begun by then is not begun, and what runs is given up. */
  readonly deadlineMs: number;
  /** What all stages of the call share. */
  readonly gate: Gate;
}
