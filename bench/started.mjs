// The server that `npm start` runs.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "./machine.mjs";

const READY_MS = 120_000;

/** The server as a newcomer starts it, in a folder of its own. */
export class Started {
  url = "";
  adminToken = "";
  #dir;
  #settings;
  #process = null;

  /** @param {Record<string, string>} settings of the Worker, over the environment's */
  constructor(dir, settings = {}) {
    this.#dir = dir;
    this.#settings = settings;
    mkdirSync(dir, { recursive: true });
  }

  get objects() {
    return join(this.#dir, ".wrangler/state/v3/do/neurogate-Tenant");
  }

  async start() {
    this.#process = spawn(process.execPath, [join(ROOT, "scripts/start.mjs")], {
      cwd: ROOT,
      // A group of its own: a signal reaches workerd too.
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...this.#settings, PORT: "0", NEUROGATE_STATE_DIR: this.#dir },
    });
    process.once("exit", this.#kill);
    let output = "";
    this.#process.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    const deadlineMs = Date.now() + READY_MS;
    while (!output.includes("Stop with Ctrl-C")) {
      if (this.#process.exitCode !== null || Date.now() > deadlineMs) throw new Error(output);
      // oxlint-disable-next-line no-await-in-loop -- until it is ready
      await sleep(50);
    }
    this.url = /URL +(\S+)/.exec(output)[1];
    this.adminToken = /Admin token +(\S+)/.exec(output)[1];
  }

  async stop() {
    const exited = once(this.#process, "exit");
    this.#kill("SIGTERM");
    await exited;
    process.removeListener("exit", this.#kill);
  }

  #kill = (signal) => {
    try {
      process.kill(-this.#process.pid, typeof signal === "string" ? signal : "SIGKILL");
    } catch {
      // It has ended.
    }
  };
}
