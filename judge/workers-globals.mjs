// What the engines use of the Workers runtime and Node 24 has not, so that they run here as they are.

/** @param {object} target @param {string} name @param {unknown} value */
function define(target, name, value) {
  if (!(name in target)) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  }
}

define(Uint8Array.prototype, "toHex", function toHex() {
  return Buffer.from(this).toString("hex");
});
define(Uint8Array.prototype, "toBase64", function toBase64() {
  return Buffer.from(this).toString("base64");
});

/** What has a length there is sent in chunks here. */
function FixedLengthStream() {
  return new TransformStream();
}
define(globalThis, "FixedLengthStream", FixedLengthStream);

const nodeFetch = globalThis.fetch;

/** Node wants it said that a body is sent before the reply is read. */
globalThis.fetch = (input, init) =>
  nodeFetch(input, init?.body instanceof ReadableStream ? { ...init, duplex: "half" } : init);
