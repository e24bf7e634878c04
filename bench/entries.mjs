/** The bundles' entry modules. Each uses the routes, engines and rules of `src`. */
export const ENTRIES = {
  real: "src/index.ts",
  ours: "bench/workers/ours.ts",
  floor: "bench/workers/floor.ts",
  naive: "bench/workers/naive.ts",
  path: "bench/workers/path.ts",
  metered: "bench/workers/metered.ts",
  scale: "bench/workers/scale.ts",
};
