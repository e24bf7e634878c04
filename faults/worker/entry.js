// The deployed Worker under a clock that the harness sets. Messages between the router and a tenant's object
// get lost.
import * as clocked from "./clocked-objects.js";
import worker from "./index.js";

export * from "./clocked-objects.js";

/** No Workflow runs here: batches and pipelines are recorded but do not run. */
const WORKFLOW = {
  create: async () => ({}),
  get: async () => {
    throw new Error("there is no such instance");
  },
};
const WORKFLOWS = { BATCHES: WORKFLOW, PIPELINES: WORKFLOW };

export default {
  fetch: (request, env, ctx) => worker.fetch(request, { ...env, ...WORKFLOWS }, ctx),
};

export class Tenant extends clocked.Tenant {
  #share;
  /** A message is lost only once, since the router gives up after four tries. */
  #lost = new Set();

  constructor(ctx, env) {
    super(ctx, { ...env, ...WORKFLOWS });
    this.#share = Number(env.LOST_SHARE);
  }

  admit(request) {
    return this.#maybeLost(`admit ${request.callId}`, () => super.admit(request));
  }

  settle(request) {
    return this.#maybeLost(`settle ${request.callId}`, () => super.settle(request));
  }

  /** Loses the request on its way here, or the answer on its way back, after all was done. */
  async #maybeLost(name, work) {
    if (this.#lost.has(name) || Math.random() >= this.#share) return work();
    this.#lost.add(name);
    if (Math.random() < 0.7) await work();
    throw new Error("lost by the harness");
  }
}
