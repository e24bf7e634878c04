// The objects of the deployed Worker, with alarms in the harness's time. An entry module exports all of them
// with `export *`, and replaces one by a class of the same name. The clock is imported first, so it is set
// before the Worker's modules read it.
import { shiftAlarms } from "./clock.js";
import * as worker from "./index.js";

const clocked = (Base) =>
  class extends Base {
    constructor(ctx, env) {
      super(shiftAlarms(ctx), env);
    }
  };

export const Account = clocked(worker.Account);
export const Session = clocked(worker.Session);
export const StateApplies = clocked(worker.StateApplies);
export const Tenant = clocked(worker.Tenant);
export const VectorShard = clocked(worker.VectorShard);
