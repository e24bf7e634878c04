import { defineConfig } from "vite";

// The pages that the Worker serves beside its API: `scripts/build-console.mjs` builds them.

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    // Browsers of the last two years: no polyfill, and nothing that the policy of the pages forbids.
    target: "es2023",
    modulePreload: { polyfill: false },
    // A file of its own for each: `data:` is allowed for pictures alone.
    assetsInlineLimit: 0,
    rolldownOptions: { input: ["index.html", "docs.html"] },
  },
});
