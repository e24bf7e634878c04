import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { StartFailure } from "./start-failure.mjs";

/** wrangler is ready within 3 s. A slow, busy machine takes several times that. */
const READY_TIMEOUT_MS = 60_000;

/** How often we check that a running server still answers. */
const PULSE_MS = 5000;

/** Pictures are decoded one after the other. On a busy server other requests waited for 10 s. */
const SILENCE_MS = 30_000;

/** wrangler refuses to run on an older Node. */
const WRANGLER_NODE_MAJOR = 22;

/** @typedef {import("./dev-secrets.mjs").Secrets} Secrets */

const END_GROUP = fileURLToPath(new URL("end-group.sh", import.meta.url));

/**
 * `wrangler dev` in a process group of its own. A guard ends the whole group (wrangler, esbuild and two
 * workerd, which outlive wrangler when it is killed) as soon as this process ends for any reason.
 */
export class DevServer {
  /** Resolves when wrangler ends, with the reason in words. @type {Promise<string>} */
  exited;
  #running = true;
  /** @type {number} */
  #group;
  #guard;
  #guardExited;

  /**
   * @param {{ root: string, host: string, port: number, stateDir: string, secrets: Secrets }} settings
   */
  constructor({ root, host, port, stateDir, secrets }) {
    // Without --local the `[ai]` binding asks for an account.
    // With --log-level error the Worker's own errors still show.
    const options = {
      ip: host,
      port,
      "inspector-port": 0,
      "persist-to": join(stateDir, ".wrangler", "state"),
      "env-file": secrets.file,
      "log-level": "error",
    };
    const environment = {
      ...process.env,
      // wrangler prefers the environment to the file, so a name that is set in both must not differ.
      ...secrets.values,
      INFERENCE: process.env.INFERENCE || "embedded",
      // Webhooks may reach receivers on this machine, also over http: nobody else can call this server.
      WEBHOOK_TARGETS: process.env.WEBHOOK_TARGETS || "any",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_WRITE_LOGS: "false",
      // Do not ask Cloudflare for the location of this machine.
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    };
    const args = [
      ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      ...settingNames(environment.INFERENCE)
        .filter((name) => environment[name])
        .flatMap((name) => ["--var", `${name}:${environment[name]}`]),
    ];
    const child = spawn(nodeForWrangler(root), [wranglerOf(root), "dev", "--local", ...args], {
      cwd: root,
      detached: true,
      stdio: ["ignore", "inherit", "inherit"],
      env: environment,
    });
    this.exited = once(child, "exit").then(([code, signal]) => {
      this.#running = false;
      return signal ?? `exit code ${code}`;
    });
    this.#group = Number(child.pid);
    this.#guard = spawn("sh", [END_GROUP, String(child.pid)], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#guardExited = once(this.#guard, "exit");
    this.#guard.stdin.on("error", () => {});
  }

  /** Waits until the Worker answers. @param {string} url */
  async ready(url) {
    const deadlineMs = Date.now() + READY_TIMEOUT_MS;
    while (this.#running) {
      const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5000) }).catch(
        () => null,
      );
      if (response?.status === 200) return;
      if (Date.now() > deadlineMs) {
        const last = response === null ? "nothing" : `status ${response.status}`;
        throw new StartFailure(`The server was not ready after a minute: /healthz gave ${last}.`);
      }
      await sleep(100);
    }
    throw new StartFailure("The server could not start: wrangler says why above.");
  }

  /**
   * Resolves with a reason when the server runs but no longer answers. This happens to wrangler when a
   * machine that is short of memory has killed both its workerd.
   *
   * @param {string} url
   */
  async silent(url) {
    let answeredMs = Date.now();
    while (Date.now() - answeredMs < SILENCE_MS) {
      await sleep(PULSE_MS);
      const options = { signal: AbortSignal.timeout(SILENCE_MS) };
      const answer = await fetch(`${url}/healthz`, options).catch(() => null);
      if (answer !== null) answeredMs = Date.now();
      await answer?.body?.cancel();
    }
    return `no answer for ${SILENCE_MS / 1000} s`;
  }

  /** Ends the whole group, in good order if possible. It takes at most six seconds. */
  async stop() {
    this.#guard.stdin.end();
    await this.#guardExited;
    try {
      // In case somebody ended the guard.
      process.kill(-this.#group, "SIGKILL");
    } catch {
      // The group has ended, as it should.
    }
  }
}

const wranglerOf = (/** @type {string} */ root) =>
  join(root, "node_modules", "wrangler", "bin", "wrangler.js");

export function checkInstalled(/** @type {string} */ root) {
  if (existsSync(wranglerOf(root))) return;
  throw new StartFailure("The dependencies are not installed. Run this first: npm ci");
}

/**
 * Builds the pages that the Worker serves. wrangler builds them too, but with the first Node that it
 * finds, and its error messages do not help.
 */
export async function buildPages(/** @type {string} */ root) {
  const script = join(root, "scripts", "build-console.mjs");
  const building = spawn(nodeForWrangler(root), [script], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = await once(building, "exit");
  if (code !== 0) throw new StartFailure("The pages of console/ could not be built: see above.");
}

/** The settings of the Worker that come from the environment. */
function settingNames(/** @type {string} */ inference) {
  const names = [
    "ACCESS_AUD",
    "ACCESS_ISSUER",
    "INFERENCE",
    "CLOUDFLARE_PLAN",
    "CORS_ORIGINS",
    "JUDGE_LANGUAGES",
    "LOG_LEVEL",
    "PRICES",
    "WEBHOOK_TARGETS",
  ];
  // Many shells have these set for other programs, so they count only with INFERENCE=openai.
  if (inference === "openai") {
    names.push("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL", "OPENAI_MODELS");
  }
  return names;
}

/** `npm start` finds the project's own Node first; `node scripts/start.mjs` may run on an older one. */
function nodeForWrangler(/** @type {string} */ root) {
  if (Number(process.versions.node.split(".")[0]) >= WRANGLER_NODE_MAJOR) return process.execPath;
  const own = join(root, "node_modules", "node", "bin", "node");
  if (existsSync(own)) return own;
  throw new StartFailure(
    `wrangler needs Node ${WRANGLER_NODE_MAJOR} or newer and this is ${process.versions.node}.\n` +
      "The project brings its own, but it was not installed: run npm ci without --ignore-scripts.",
  );
}
