// The Worker of entry.js. `/__collect` collects its garbage, so that what is left is in use.
import entry from "./entry.js";

export * from "./entry.js";

export default {
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== "/__collect") return entry.fetch(request, env, ctx);
    // What only a finalizer frees goes with the second.
    globalThis.gc();
    globalThis.gc();
    return new Response(null, { status: 204 });
  },
};
