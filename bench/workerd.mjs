// Runs the built Worker on the workerd binary itself, so that no proxy of wrangler or Miniflare is measured.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ROOT } from "./machine.mjs";

const require = createRequire(import.meta.url);
const WORKERD = createRequire(require.resolve("wrangler")).resolve("workerd/bin/workerd");

/** It takes a twentieth of a second. */
const READY_MS = 20_000;

export const KEY_SECRET = "bench-key-secret-of-at-least-32-bytes!";
export const ADMIN_TOKEN = "bench-admin-token-of-at-least-32-bytes";

/** Bundles like `npm run deploy`, from another entry point if one is named. */
export async function build(outdir, entry = "src/index.ts") {
  await promisify(execFile)(
    process.execPath,
    [require.resolve("wrangler"), "deploy", entry, "--dry-run", "--outdir", outdir],
    {
      cwd: ROOT,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false" },
    },
  );
  // wrangler gives the bundle the name of its entry.
  const index = readdirSync(outdir).find((name) => name.endsWith(".js"));
  return { outdir, index };
}

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** The pages and the models, which the build makes. */
const ASSETS = join(ROOT, "dist/console");

const text = (/** @type {string} */ value) => JSON.stringify(value);

const UNIQUE_KEYS = {
  Tenant: "neurogate-Tenant",
  Account: "neurogate-Account",
  StateApplies: "neurogate-StateApplies",
  Session: "neurogate-Session",
  VectorShard: "neurogate-VectorShard",
};

/** Classes of a harness of its own, each with its binding. */
const ALSO = { Reports: { uniqueKey: "neurogate-Reports", binding: "REPORT_FILE" } };

function capnp({ bundle, stateDir, port, settings, classes, isInspected }) {
  const named = (/** @type {string} */ end) =>
    readdirSync(bundle.outdir).filter((name) => name.endsWith(end));
  const modules = [
    `(name = ${text(bundle.index)}, esModule = embed ${text(bundle.index)})`,
    ...named(".wasm").map((name) => `(name = ${text(`./${name}`)}, wasm = embed ${text(name)})`),
    ...named(".sql").map((name) => `(name = ${text(`./${name}`)}, text = embed ${text(name)})`),
  ];
  const bindings = [
    `(name = "TENANT", durableObjectNamespace = "Tenant")`,
    `(name = "ACCOUNT", durableObjectNamespace = "Account")`,
    `(name = "APPLIES", durableObjectNamespace = "StateApplies")`,
    `(name = "SESSION", durableObjectNamespace = "Session")`,
    `(name = "VECTORS", durableObjectNamespace = "VectorShard")`,
    `(name = "ASSETS", service = "assets")`,
    ...classes.map(
      (name) => `(name = "${ALSO[name].binding}", durableObjectNamespace = "${name}")`,
    ),
    ...Object.entries(settings).map(
      ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`,
    ),
  ];
  const keys = { ...UNIQUE_KEYS, ...keysOf(classes) };
  const objects = Object.entries(keys).map(
    ([name, key]) => `(className = ${text(name)}, uniqueKey = ${text(key)}, enableSql = true)`,
  );
  // The inspector's figure of the heap includes garbage until the Worker itself collects it.
  const flags = isInspected ? `\n  v8Flags = ["--expose-gc"],` : "";
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (${flags}
  services = [
    (name = "main", worker = .worker),
    (name = "disk", disk = (path = ${text(stateDir)}, writable = true)),
    (name = "assets", disk = (path = ${text(ASSETS)})),
    (name = "internet", network = (allow = ["public", "private", "local"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = "2026-10-01",
  durableObjectNamespaces = [${objects.join(", ")}],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [${bindings.join(", ")}]
);
`;
}

const keysOf = (/** @type {(keyof ALSO)[]} */ classes) =>
  Object.fromEntries(classes.map((name) => [name, ALSO[name].uniqueKey]));

/** Ends all servers when the harness ends for any reason. */
const RUNNING = new Set();
process.on("exit", () => {
  for (const server of RUNNING) process.kill(server.pid, "SIGKILL");
});

export class Workerd {
  url = "";
  adminToken = ADMIN_TOKEN;
  #dir;
  #bundle;
  #settings;
  #options;
  #classes;
  #port = 0;
  #process = null;

  /**
   * @param {string} dir of its own, for its data
   * @param {{ outdir: string, index: string }} bundle
   * @param {Record<string, string>} settings of the Worker, over those that it needs
   * @param {string[]} options of workerd
   * @param {(keyof ALSO)[]} classes of objects that the bundle has beside the Worker's own
   */
  constructor(dir, bundle, settings = {}, options = [], classes = []) {
    this.#classes = classes;
    this.#options = options;
    this.#dir = dir;
    this.#bundle = bundle;
    this.#settings = {
      INFERENCE: "workers-ai",
      CLOUDFLARE_PLAN: "paid",
      // A log line for each request would hide the bench's output. docs/observability.md has its cost.
      LOG_LEVEL: "error",
      KEY_SECRETS: KEY_SECRET,
      ADMIN_TOKEN,
      ...settings,
    };
  }

  get pid() {
    return this.#process.pid;
  }

  /** The folder with the files of objects of this class. */
  directory(/** @type {string} */ className) {
    const key = UNIQUE_KEYS[className] ?? ALSO[className].uniqueKey;
    return join(this.#dir, "state", key);
  }

  async start() {
    const stateDir = join(this.#dir, "state");
    mkdirSync(stateDir, { recursive: true });
    this.#port ||= await freePort();
    this.url = `http://127.0.0.1:${this.#port}`;
    // The configuration may embed only files beside it.
    const config = join(this.#bundle.outdir, `${this.#port}.capnp`);
    const made = {
      bundle: this.#bundle,
      stateDir,
      port: this.#port,
      settings: this.#settings,
      classes: this.#classes,
      isInspected: this.#options.some((name) => name.startsWith("--inspector-addr=")),
    };
    writeFileSync(config, capnp(made));
    this.#process = spawn(WORKERD, ["serve", config, ...this.#options], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    RUNNING.add(this);
    const deadlineMs = Date.now() + READY_MS;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- until it answers
      const ready = await fetch(`${this.url}/healthz`).catch(() => null);
      // oxlint-disable-next-line no-await-in-loop -- the body, so that the connection is free
      await ready?.arrayBuffer();
      if (ready?.ok) return;
      if (this.#process.exitCode !== null || Date.now() > deadlineMs) {
        throw new Error("workerd did not start");
      }
      // oxlint-disable-next-line no-await-in-loop -- until it answers
      await sleep(20);
    }
  }

  async stop() {
    RUNNING.delete(this);
    if (this.#process === null || this.#process.exitCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  /** CPU time used so far, in milliseconds, of all its threads. */
  cpuMs() {
    return cpuMsOf(this.pid);
  }

  /** Resident memory, in bytes. */
  rss() {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
  }
}

/** Clock ticks a second: 100 on every Linux that Node runs on. */
const TICK_MS = 10;

export function cpuMsOf(/** @type {number} */ pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
