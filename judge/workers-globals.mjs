// Functions of the Workers runtime that the engines use and Node 24 lacks, so that they run unchanged.

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

/** In the Workers runtime this stream gives the body a length. Here the body is sent in chunks. */
function FixedLengthStream() {
  return new TransformStream();
}
define(globalThis, "FixedLengthStream", FixedLengthStream);

const nodeFetch = globalThis.fetch;

/** Node requires `duplex` for a body that is a stream. */
globalThis.fetch = (input, init) =>
  nodeFetch(input, init?.body instanceof ReadableStream ? { ...init, duplex: "half" } : init);
