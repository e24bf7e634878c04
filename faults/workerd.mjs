// Runs the built Worker on the workerd binary itself, without a proxy, with its data on disk. It starts
// in 30 ms, so it can be killed a hundred times. Its output is kept.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { storeBindings, storeExtension, storeServices } from "./platform-stores.mjs";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
const WORKER = fileURLToPath(new URL("worker/", import.meta.url));

/** The modules of every entry. The first one is the entry itself. */
const MODULES = ["entry.js", "clocked-objects.js", "clock.js", "index.js"];

/** A start takes 30 ms, on a busy machine several times that. */
const READY_MS = 30_000;

/** More output is a fault, and would fill this process's memory. */
const MAX_OUTPUT = 50_000_000;

/** Builds the bundle that a deployment would upload. */
export async function buildWorker(/** @type {string} */ outdir) {
  const wrangler = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
  const env = {
    ...process.env,
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_WRITE_LOGS: "false",
    WRANGLER_LOG: "error",
  };
  const args = [wrangler, "deploy", "--dry-run", "--outdir", outdir];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, env });
}

/** The settings of wrangler.toml that a configuration of workerd needs too. */
function platformOf(/** @type {string} */ toml) {
  const date = /^compatibility_date = "([\d-]+)"/m.exec(toml)?.[1];
  const flags = /^compatibility_flags = (\[.*\])/m.exec(toml)?.[1] ?? "[]";
  if (date === undefined) throw new Error("wrangler.toml has no compatibility_date");
  return `compatibilityDate = "${date}", compatibilityFlags = ${flags}`;
}

/** The package with the binary depends on the machine. `workerd`, a dependency of wrangler, finds it. */
function binary() {
  const wrangler = createRequire(join(ROOT, "package.json")).resolve("wrangler");
  return createRequire(wrangler)("workerd").default;
}

/** The default conditions: the real time, the engines' own timeouts, no losses. */
const CALM = {
  CLOCK_OFFSET_MS: 0,
  CLOCK_JUMP_AT_MS: 0,
  CLOCK_JUMP_MS: 0,
  CLOCK_SPEED: 1,
  CLOCK_FAST_FROM_MS: 0,
  TIMEOUT_DIVISOR: 1,
  LOST_SHARE: 0,
};

const text = (/** @type {string} */ value) => JSON.stringify(value);

export class Workerd {
  /** The output of all processes. */
  output = "";
  url = "";
  #bundle;
  #bindings;
  #ai;
  #entry;
  #inspectorPort;
  #child = null;
  /** @type {Promise<unknown>} */
  #exited = Promise.resolve();

  /**
   * @param {{ bundle: string, stateDir: string, bindings: Record<string, string>, ai?: URL,
   *   entry?: string, inspectorPort?: number }} settings `ai` is the address of the fake `AI` binding,
   *   `entry` the module of worker/ that wraps the Worker. With an inspector it has `gc()`
   */
  constructor({ bundle, stateDir, bindings, ai, entry = "entry.js", inspectorPort }) {
    this.#bundle = bundle;
    this.stateDir = stateDir;
    this.#bindings = bindings;
    this.#ai = ai;
    this.#entry = entry;
    this.#inspectorPort = inspectorPort;
    mkdirSync(stateDir, { recursive: true });
    for (const name of readdirSync(WORKER)) copyFileSync(WORKER + name, join(bundle, name));
  }

  get pid() {
    return this.#child.pid;
  }

  /** @param {Record<string, number>} conditions for worker/clock.js and worker/entry.js */
  async start(conditions = {}) {
    const bindings = {
      ...this.#bindings,
      ...Object.fromEntries(
        Object.entries({ ...CALM, ...conditions }).map(([name, value]) => [name, String(value)]),
      ),
    };
    const config = join(this.#bundle, "config.capnp");
    writeFileSync(config, this.#config(bindings));
    // The stores' modules are embedded by their absolute paths.
    const inspector = this.#inspectorPort;
    const args = [
      "serve",
      config,
      "--experimental",
      "--control-fd=3",
      "--import-path=/",
      ...(inspector === undefined ? [] : [`--inspector-addr=127.0.0.1:${inspector}`]),
    ];
    const child = spawn(binary(), args, { stdio: ["ignore", "pipe", "pipe", "pipe"] });
    this.#child = child;
    this.#exited = once(child, "close");
    const from = this.output.length;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => {
        if (this.output.length < MAX_OUTPUT) this.output += chunk;
      });
    }
    let printed = "";
    child.stdio[3].setEncoding("utf8").on("data", (chunk) => (printed += chunk));
    const deadlineMs = Date.now() + READY_MS;
    let port;
    while (port === undefined) {
      if (child.exitCode !== null || Date.now() > deadlineMs) {
        throw new Error(`workerd did not start:\n${this.output.slice(from)}`);
      }
      // oxlint-disable-next-line no-await-in-loop -- until it has printed its address
      await sleep(5);
      port = /"event":"listen","socket":"http","port":(\d+)/.exec(printed)?.[1];
    }
    this.url = `http://127.0.0.1:${port}`;
  }

  /** kill -9. */
  async kill() {
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  get alive() {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The process's memory in bytes; null if the system does not show it. */
  memory() {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
    } catch {
      return null;
    }
  }

  #config(/** @type {Record<string, string>} */ bindings) {
    const platform = platformOf(readFileSync(join(ROOT, "wrangler.toml"), "utf8"));
    const named = (/** @type {string} */ end) =>
      readdirSync(this.#bundle).filter((name) => name.endsWith(end));
    const modules = [
      ...[this.#entry, ...MODULES.filter((name) => name !== this.#entry)].map((name) => [
        name,
        "esModule",
      ]),
      ...named(".wasm").map((name) => [name, "wasm"]),
      ...named(".sql").map((name) => [name, "text"]),
    ].map(([name, kind]) => `(name = ${text(name)}, ${kind} = embed ${text(name)})`);
    const objects = {
      TENANT: "Tenant",
      ACCOUNT: "Account",
      APPLIES: "StateApplies",
      SESSION: "Session",
      VECTORS: "VectorShard",
    };
    const classes = Object.values(objects);
    const all = [
      ...Object.entries(bindings).map(
        ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`,
      ),
      ...Object.entries(objects).map(
        ([name, className]) => `(name = "${name}", durableObjectNamespace = "${className}")`,
      ),
      ...storeBindings,
      ...(this.#ai === undefined
        ? []
        : [
            `(name = "AI", wrapped = (moduleName = "cloudflare-internal:ai-api",
               innerBindings = [(name = "fetcher", service = "ai")]))`,
          ]),
    ];
    const fake = this.#ai?.host ?? "127.0.0.1:9";
    return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${this.#inspectorPort === undefined ? "" : text("--expose-gc")}],
  services = [
    (name = "main", worker = .main),
    (name = "ai", worker = .ai),
    (name = "fake", external = (address = "${fake}", http = ())),
    (name = "disk", disk = (path = ${text(this.stateDir)}, writable = true)),
    # No request leaves this machine, whatever a body asks for.
    (name = "internet", network = (allow = [])),
    ${storeServices(this.stateDir).join(",\n    ")},
  ],
  extensions = [${storeExtension}],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [${modules.join(",\n    ")}],
  ${platform},
  durableObjectNamespaces = [${classes
    .map((name) => `(className = "${name}", uniqueKey = "neurogate-${name}", enableSql = true)`)
    .join(", ")}],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [${all.join(",\n    ")}],
);
const ai :Workerd.Worker = (
  modules = [(name = "ai-proxy.js", esModule = embed "ai-proxy.js")],
  ${platform},
  bindings = [(name = "FAKE", service = "fake")],
);
`;
  }
}
