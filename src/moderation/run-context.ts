import type { Model } from "../domain/catalogue/catalogue.ts";
import type { Hold } from "../domain/ledger/ledger.ts";
import type { Engine } from "../engines/engine.ts";
import type { Gate } from "./gate.ts";

/** The data that the stages of one admitted call share. */
export interface RunContext {
  readonly engine: Engine;
  readonly hold: Hold;
  /** The catalogue's model with the platform's price, for the models of planned stages. */
  readonly modelOf: (id: string) => Model;
  readonly nowMs: () => number;
  /** After this time no work begins, and running work is given up. */
  readonly deadlineMs: number;
  readonly gate: Gate;
}
