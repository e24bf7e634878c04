import worker from "../../src/index.ts";
import { withFixedAi } from "./fixed-ai.ts";

// The unchanged Worker with fixed answers, and a page with the counters of its functions, which
// `bench/path.mjs` adds to the bundle.

export * from "../../src/index.ts";

const governed = withFixedAi(worker);

export default {
  ...governed,
  fetch(request: Request, env: Env, ctx: ExecutionContext) {
    if (new URL(request.url).pathname === "/counters") {
      return Response.json(Reflect.get(globalThis, "counters"));
    }
    return governed.fetch(request, env, ctx);
  },
};
