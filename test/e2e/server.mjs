// The built Worker as a real server. `sharedServer()` is for files that only call it; `new Server()`
// is one of the file's own, to be killed and started again on the same data, with settings of its
// own or with the account to itself. Everything that a server prints is searched for secrets.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HOST = fileURLToPath(new URL("host.mjs", import.meta.url));

/** It takes a second; a busy machine several times that. */
const READY_MS = 60_000;

/** It takes a tenth of a second. */
const END_MS = 10_000;

/** Until a line that was printed is seen here. */
const PRINTED_MS = 30_000;

const CLOCK = "clock.js";

const ENVIRONMENT = {
  ...process.env,
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
  WRANGLER_LOG: "error",
};

/**
 * Stands in every text that the tests have moderated, and in whatever else a caller may send:
 * nothing of it may ever be printed. A word of no language, and of no list.
 */
export const MARKER = "qzvkontent";

/** How PNG and JPEG pictures begin in base64. */
const PICTURES = ["iVBORw0KGgo", "/9j/4AAQ"];

/** @typedef {{ status: number, headers: Headers, body: any }} Reply */

/** One request. @returns {Promise<Reply>} */
export async function send(url, method, path, { key, body, headers = {} } = {}) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(key && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.endsWith("json") && text !== "";
  const { status, headers: replied } = response;
  return { status, headers: replied, body: isJson ? JSON.parse(text) : text };
}

/** Every item of a list, page by page. */
export async function readAll(url, path, key) {
  const items = [];
  let cursor = "";
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a page says where the next one is
    const { status, body } = await send(url, "GET", `${path}?limit=200${cursor}`, { key });
    assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
    items.push(...body.data);
    if (!body.has_more) return items;
    cursor = `&cursor=${body.next_cursor}`;
  }
}

/** A server as its callers know it: an address and the token of the platform. */
class Gateway {
  url = "";
  adminToken = "";

  /** @returns {Promise<Reply>} */
  send(method, path, ask) {
    return send(this.url, method, path, ask);
  }

  /** @returns {Promise<Reply>} */
  async admin(method, path, body) {
    const reply = await this.send(method, path, { key: this.adminToken, body });
    assert.ok(reply.status < 300, `${method} ${path}: ${JSON.stringify(reply.body)}`);
    return reply;
  }

  /** All tenants together may make as many calls a minute as these tests need. */
  async unboundRates() {
    const rpm = { text_generation: 1_000_000, text_classification: 1_000_000 };
    await this.admin("PATCH", "/admin/account", { rpm });
  }

  /** A new tenant's key; settings over plan free and 10,000 neurons. @returns {Promise<string>} */
  async makeTenant(id, settings = {}) {
    await this.admin("PUT", `/admin/tenants/${id}`, {
      plan: "free",
      daily_neurons: 10_000,
      ...settings,
    });
    const { body } = await this.admin("POST", `/admin/tenants/${id}/keys`, { role: "manage" });
    return body.key;
  }
}

/**
 * What `global-setup.mjs` made once for all files of a run: the folder of the built Worker, and the
 * server that files share. A file that is run alone has neither and makes its own.
 */
export const SHARED = {
  bundle: "NEUROGATE_E2E_BUNDLE",
  url: "NEUROGATE_E2E_URL",
  adminToken: "NEUROGATE_E2E_ADMIN_TOKEN",
};

/**
 * A server with default settings for files that kill nothing, change nothing of the account and make
 * tenants whose ids no other file uses.
 */
export function sharedServer() {
  const { [SHARED.url]: url, [SHARED.adminToken]: adminToken } = process.env;
  if (url && adminToken) return Object.assign(new Gateway(), { url, adminToken });
  const server = new Server();
  before(() => server.start());
  after(() => server.stop());
  return server;
}

export class Server extends Gateway {
  /** Everything that was ever printed, by every process. */
  output = "";
  #dir = mkdtempSync(join(tmpdir(), "neurogate-e2e-"));
  #settings;
  #aiUrl;
  #clockOffsetMs = 0;
  #host;
  /** @type {Promise<unknown>} */
  #exited = Promise.resolve();
  /** @type {Set<string>} */
  #secrets;

  /**
   * @param {Record<string, string>} settings of the Worker, over those that it needs
   * @param {URL | null} aiUrl of a fake of Workers AI, behind the real binding
   */
  constructor(settings = {}, aiUrl = null) {
    super();
    this.#aiUrl = aiUrl;
    this.#settings = {
      INFERENCE: "embedded",
      KEY_SECRETS: `${secret()},${secret()}`,
      ADMIN_TOKEN: secret(),
      ...settings,
    };
    process.once("exit", () => rmSync(this.#dir, { recursive: true, force: true }));
    const { KEY_SECRETS, ADMIN_TOKEN } = this.#settings;
    this.adminToken = ADMIN_TOKEN;
    this.#secrets = new Set([MARKER, ...PICTURES, ADMIN_TOKEN, ...KEY_SECRETS.split(",")]);
  }

  /** Builds the Worker at the first call. Later calls keep data, address and settings. */
  async start() {
    const bundle = join(this.#dir, "bundle");
    if (this.url === "") await provideBundle(bundle);
    const esModules = this.#clockOffsetMs === 0 ? ["index.js"] : ["later.js", CLOCK, "index.js"];
    const named = (/** @type {string} */ end) =>
      readdirSync(bundle).filter((name) => name.endsWith(end));
    const options = {
      bundle,
      modules: [
        ...esModules.map((path) => ({ type: "ESModule", path })),
        ...named(".wasm").map((path) => ({ type: "CompiledWasm", path })),
        ...named(".sql").map((path) => ({ type: "Text", path })),
      ],
      stateDir: join(this.#dir, "state"),
      port: this.url === "" ? 0 : Number(new URL(this.url).port),
      bindings: this.#settings,
      aiUrl: this.#aiUrl?.href,
    };
    // A group of its own, so that a kill reaches workerd too. The end of its input ends it.
    const host = spawn(process.execPath, [HOST, JSON.stringify(options)], {
      cwd: ROOT,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      // What a killed Miniflare leaves behind goes with the rest.
      env: { ...ENVIRONMENT, TMPDIR: this.#dir },
    });
    this.#host = host;
    this.#exited = once(host, "close");
    for (const stream of [host.stdout, host.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    }
    host.stdin.on("error", () => {});
    const from = this.output.length;
    const deadlineMs = Date.now() + READY_MS;
    let ready = null;
    while (ready === null) {
      const failed = host.exitCode !== null || Date.now() > deadlineMs;
      assert.ok(!failed, `The server did not start:\n${this.output.slice(from)}`);
      // oxlint-disable-next-line no-await-in-loop -- until it has printed where it is
      await sleep(20);
      ready = /^Serving at (\S+)$/m.exec(this.output.slice(from));
    }
    this.url = ready[1];
    // A run that was told to leave these tests out ends without calling stop().
    for (const handle of [host, host.stdin, host.stdout, host.stderr]) handle.unref();
  }

  /** kill -9 to all of it, at once. */
  async kill() {
    this.#host.ref();
    process.kill(-this.#host.pid, "SIGKILL");
    await this.#exited;
  }

  /** From the next start on, the Worker's clock is so much ahead. It must not go back. */
  setClockAhead(/** @type {number} */ offsetMs) {
    this.#clockOffsetMs = offsetMs;
    const files = {
      [CLOCK]: `const now = Date.now; Date.now = () => now() + ${offsetMs};`,
      // Imports run in order: the clock is set before the Worker's modules see it.
      "later.js": `import "./${CLOCK}"; export * from "./index.js"; export { default } from "./index.js";`,
    };
    for (const [name, source] of Object.entries(files)) {
      writeFileSync(join(this.#dir, "bundle", name), source);
    }
  }

  /** Where the account's object keeps its tables, once there are any. */
  accountFile() {
    const state = join(this.#dir, "state");
    const names = readdirSync(state, { recursive: true, encoding: "utf8" });
    const file = names.find((name) => /[/\\][^/\\]*Account[/\\][0-9a-f]+\.sqlite$/.test(name));
    assert.ok(file, `no file of the account among ${names.join(", ")}`);
    return join(state, file);
  }

  /** So much time passes for the Worker: it is killed, and starts again with its clock ahead. */
  async passTime(/** @type {number} */ ms) {
    await this.kill();
    this.setClockAhead(this.#clockOffsetMs + ms);
    await this.start();
  }

  /** Ends it in good order, forgets its data, and holds what it printed against what it knew. */
  async stop() {
    this.#host?.ref();
    this.#host?.stdin.end();
    const ended = await Promise.race([this.#exited, sleep(END_MS, "late", { ref: false })]);
    if (ended === "late") await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
    this.assertSilence();
  }

  /** Waits until it has printed this: a line takes its way through several processes. */
  async printed(/** @type {RegExp} */ pattern) {
    const deadlineMs = Date.now() + PRINTED_MS;
    // oxlint-disable-next-line no-await-in-loop -- until it has come
    while (!pattern.test(this.output) && Date.now() < deadlineMs) await sleep(20);
    assert.match(this.output, pattern);
  }

  /** Nothing that was printed holds a key, a secret, or anything of what was moderated. */
  assertSilence() {
    for (const text of this.#secrets) {
      const at = this.output.indexOf(text);
      const around = this.output.slice(Math.max(0, at - 300), at).trim();
      assert.equal(at, -1, `Something secret was printed after:\n${around}`);
    }
    assert.doesNotMatch(this.output, /\bng_[a-z0-9-]+_[A-Za-z0-9]{20,}/);
  }

  /** @returns {Promise<string>} */
  async makeTenant(id, settings = {}) {
    const key = await super.makeTenant(id, settings);
    this.#secrets.add(key);
    return key;
  }
}

const secret = () => randomBytes(32).toString("base64url");

/** The built Worker in a folder of the server's own, which may add modules to it. */
async function provideBundle(/** @type {string} */ folder) {
  const built = process.env[SHARED.bundle];
  if (built) cpSync(built, folder, { recursive: true });
  else await build(folder);
}

export async function build(/** @type {string} */ outdir) {
  const wrangler = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
  await promisify(execFile)(
    process.execPath,
    [wrangler, "deploy", "--dry-run", "--outdir", outdir],
    {
      cwd: ROOT,
      env: ENVIRONMENT,
    },
  );
}

/** The invariants that the tenant's own endpoint counts: none is broken. */
export async function assertInvariants(url, key) {
  const look = () => send(url, "GET", "/v1/invariants", { key });
  let { body } = await look();
  // oxlint-disable-next-line no-await-in-loop -- until all lines were looked at
  while (body.complete === false) ({ body } = await look());
  assert.ok(body.data?.length > 0, JSON.stringify(body));
  assert.deepEqual(
    body.data.filter(({ violations }) => violations !== 0),
    [],
  );
  assert.equal(body.holds, true);
}
