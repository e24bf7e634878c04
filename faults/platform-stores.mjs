// The development simulators of R2, KV and D1 as services in a configuration of workerd. They are the
// same Workers that `npm start` runs, from the same package, with their data on disk.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const wrangler = createRequire(createRequire(import.meta.url).resolve("wrangler"));
const SIMULATORS = join(dirname(wrangler.resolve("miniflare")), "workers");

const text = (/** @type {string} */ value) => JSON.stringify(value);
const embedded = (/** @type {string} */ path) => `embed ${text(join(SIMULATORS, path))}`;

const ENTRY = "shared/object-entry";

const D1 = `wrapped = (moduleName = "cloudflare-internal:d1-api",
  innerBindings = [(name = "fetcher", service = "REPORTS")])`;

/** `entry` is the module that calls the object of `code`; `is` is the kind of binding of the Worker. */
const STORES = [
  {
    binding: "IMAGES",
    is: `r2Bucket = "IMAGES"`,
    entry: ENTRY,
    code: "r2/bucket",
    className: "R2BucketObject",
  },
  {
    binding: "CACHE",
    is: `kvNamespace = "CACHE"`,
    entry: ENTRY,
    code: "kv/namespace",
    className: "KVNamespaceObject",
  },
  {
    binding: "REPORTS",
    is: D1,
    entry: "d1/entry",
    code: "d1/database",
    className: "D1DatabaseObject",
  },
];

/** The bindings in the Worker's configuration. */
export const storeBindings = STORES.map(({ binding, is }) => `(name = "${binding}", ${is})`);

/** @param {string} stateDir */
export function storeServices(stateDir) {
  return STORES.flatMap(({ binding, entry, code, className }) => {
    const path = join(stateDir, binding);
    mkdirSync(path, { recursive: true });
    return [
      `(name = "${binding}", worker = (
        compatibilityDate = "2023-07-24",
        compatibilityFlags = ["enhanced_error_serialization"],
        modules = [(name = "entry.js", esModule = ${embedded(`${entry}.worker.js`)})],
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

/** The modules that the simulators import. */
export const storeExtension = `(modules = [
    (name = "miniflare:shared", esModule = ${embedded("shared/index.worker.js")}),
    (name = "miniflare:zod", esModule = ${embedded("shared/zod.worker.js")}),
  ])`;
