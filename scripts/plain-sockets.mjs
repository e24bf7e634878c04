import { createRequire } from "node:module";

/**
 * Turns off compression on the sockets between vitest and the Workers runtime. Both ends are on this
 * machine, and compression took a fifth of the test run's time. `ws` offers compression by default, and
 * miniflare makes the socket, so no option of ours reaches it.
 */
export function speakPlainly() {
  const require = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const { PerMessageDeflate } = require("ws");
  // The other end does not know this name, so it does not accept the offer.
  Object.defineProperty(PerMessageDeflate, "extensionName", { get: () => "x-not-compressed" });
}
