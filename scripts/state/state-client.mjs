// A client for the platform's API for documents of tenants. A request without a reply is sent again, since
// every one of these requests can be repeated.
import { setTimeout as sleep } from "node:timers/promises";
import { StateFailure } from "./state-failure.mjs";

/** How long a server may be away, for example while it restarts. */
const PATIENCE_MS = 120_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const TIMEOUT_MS = 60_000;

export class StateClient {
  #url;
  #token;

  constructor(/** @type {string} */ url, /** @type {string} */ token) {
    this.#url = url.replace(/\/+$/, "");
    this.#token = token;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {string} [body]
   * @returns {Promise<{ status: number, body: any }>} of a success, or of a 404
   */
  async ask(method, path, body) {
    const endMs = Date.now() + PATIENCE_MS;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      const reply = await this.#try(method, path, body);
      if (reply.status === 404 || (reply.status >= 200 && reply.status < 300)) return reply;
      const isAway = reply.status === 0 || reply.status === 429 || reply.status >= 502;
      if (!isAway || Date.now() + waitMs > endMs) throw new StateFailure(sentenceOf(reply));
      // oxlint-disable-next-line no-await-in-loop -- as above
      await sleep(waitMs);
    }
  }

  async #try(method, path, body) {
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      return { status: response.status, body: json(text) };
    } catch (error) {
      const why = error.cause?.code ?? error.name;
      return { status: 0, body: { detail: `${this.#url} does not answer (${why}).` } };
    }
  }

  storePart({ id, number, count, dryRun }, /** @type {string} */ body) {
    const dry = dryRun ? "&dry_run=true" : "";
    return this.ask("PUT", `/admin/state?apply=${id}&part=${number}/${count}${dry}`, body);
  }

  /** Reads an apply; null: there is none. */
  async readApply(/** @type {string} */ id) {
    const { status, body } = await this.ask("GET", `/admin/state/applies/${id}`);
    return status === 404 ? null : body;
  }

  /** Tenants of an apply, read page by page. */
  async *tenants(/** @type {string} */ id, /** @type {string} */ status) {
    yield* this.#pages(`/admin/state/applies/${id}/tenants?limit=200&status=${status}`, (page) =>
      page.data.values(),
    );
  }

  /** All tenants with their settings. @returns {AsyncGenerator<[string, object]>} */
  async *state() {
    yield* this.#pages("/admin/state?limit=200", (page) => Object.entries(page.tenants));
  }

  async *#pages(/** @type {string} */ path, itemsOf) {
    let cursor = "";
    do {
      // oxlint-disable-next-line no-await-in-loop -- a page says where the next one is
      const { status, body } = await this.ask("GET", `${path}${cursor}`);
      if (status === 404) throw new StateFailure("The server no longer has this apply.");
      yield* itemsOf(body);
      cursor = body.has_more ? `&cursor=${body.next_cursor}` : "";
    } while (cursor !== "");
  }
}

function json(/** @type {string} */ text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The message of a refusal, with each field that is wrong. */
function sentenceOf({ status, body }) {
  if (status === 401) return "The server does not accept this token.";
  const fields = body?.errors ?? [];
  const wrong = fields.map(({ pointer, detail }) => `${pointer} ${detail}`);
  return [body?.detail ?? `The server answered ${status}.`, ...wrong.slice(0, 20)].join("\n  ");
}
