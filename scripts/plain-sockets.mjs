import { createRequire } from "node:module";

/**
 * Keeps the sockets between vitest and the Workers runtime from compressing what they carry. Both ends
 * are on this machine, and `ws` offers compression unless it is told not to, which nothing here can do:
 * the socket is made by miniflare. Compressing took a fifth of the test run's time.
 */
export function speakPlainly() {
  const require = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const { PerMessageDeflate } = require("ws");
  // The other end does not know this name, so that it does not take the offer up.
  Object.defineProperty(PerMessageDeflate, "extensionName", { get: () => "x-not-compressed" });
}
