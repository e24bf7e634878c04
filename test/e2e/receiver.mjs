// An endpoint of webhooks as somebody would run it: a server of its own that verifies what it is sent.
import { createServer } from "node:http";

/** @typedef {{ id: string, event: any, at: number }} Accepted */

export class Receiver {
  /** What was verified and accepted, repeats too. @type {Accepted[]} */
  accepted = [];
  /** What was not believed. @type {string[]} */
  refused = [];
  /** Everything that came. */
  asked = 0;
  /** What it does with a request that it believes. */
  answer = (/** @type {import("node:http").ServerResponse} */ response) => {
    response.writeHead(204).end();
    return true;
  };
  /** Throws, or rejects, when a delivery is not to be believed. */
  verify = async (
    /** @type {string} */ _body,
    /** @type {Record<string, string>} */ _headers,
  ) => {};
  url = "";
  #server = createServer((request, response) => void this.#receive(request, response));

  /** @returns {Promise<this>} */
  async start() {
    this.#server.on("connection", (socket) => socket.unref());
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", () => resolve(null)));
    this.#server.unref();
    this.url = `http://127.0.0.1:${/** @type {any} */ (this.#server.address()).port}/hooks`;
    return this;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #receive(request, response) {
    this.asked += 1;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const headers = /** @type {Record<string, string>} */ (request.headers);
    try {
      await this.verify(body, headers);
    } catch (error) {
      this.refused.push(String(error));
      response.writeHead(401).end();
      return;
    }
    const accepts = this.answer(response);
    if (!accepts) return;
    this.accepted.push({ id: headers["webhook-id"], event: JSON.parse(body), at: Date.now() });
  }
}
