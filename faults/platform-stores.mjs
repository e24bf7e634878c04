// R2 and KV as they are simulated for development, as services in a configuration of workerd: the
// same Workers that `npm start` runs, from the package that holds them, with their data on disk.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const wrangler = createRequire(createRequire(import.meta.url).resolve("wrangler"));
const SIMULATORS = join(dirname(wrangler.resolve("miniflare")), "workers");

const text = (/** @type {string} */ value) => JSON.stringify(value);
const embedded = (/** @type {string} */ path) => `embed ${text(join(SIMULATORS, path))}`;

const STORES = [
  { binding: "IMAGES", type: "r2Bucket", code: "r2/bucket", className: "R2BucketObject" },
  { binding: "CACHE", type: "kvNamespace", code: "kv/namespace", className: "KVNamespaceObject" },
];

/** What the Worker's configuration takes as its bindings. */
export const storeBindings = STORES.map(
  ({ binding, type }) => `(name = "${binding}", ${type} = "${binding}")`,
);

/** @param {string} stateDir */
export function storeServices(stateDir) {
  return STORES.flatMap(({ binding, code, className }) => {
    const path = join(stateDir, binding);
    mkdirSync(path, { recursive: true });
    return [
      `(name = "${binding}", worker = (
        compatibilityDate = "2023-07-24",
        modules = [(name = "entry.js", esModule = ${embedded("shared/object-entry.worker.js")})],
        bindings = [
          (name = "MINIFLARE_NAMESPACE", text = "${binding}"),
          (name = "MINIFLARE_OBJECT",
            durableObjectNamespace = (className = "${className}", serviceName = "${binding}-object")),
        ]))`,
      `(name = "${binding}-disk", disk = (path = ${text(path)}, writable = true))`,
      `(name = "${binding}-object", worker = (
        compatibilityDate = "2023-07-24",
        compatibilityFlags = ["nodejs_compat", "experimental"],
        modules = [(name = "store.js", esModule = ${embedded(`${code}.worker.js`)})],
        durableObjectNamespaces = [(className = "${className}", uniqueKey = "${className}")],
        durableObjectStorage = (localDisk = "${binding}-disk"),
        bindings = [(name = "MINIFLARE_BLOBS", service = "${binding}-disk")]))`,
    ];
  });
}

/** What the simulators import. */
export const storeExtension = `(modules = [
    (name = "miniflare:shared", esModule = ${embedded("shared/index.worker.js")}),
    (name = "miniflare:zod", esModule = ${embedded("shared/zod.worker.js")}),
  ])`;
