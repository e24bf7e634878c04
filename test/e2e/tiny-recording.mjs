/** Silence of 16-bit samples at 8 kHz, with a text among them. */
export function wav(/** @type {number} */ ms, /** @type {string} */ text) {
  const size = ms * 16;
  const bytes = Buffer.alloc(44 + size);
  bytes.write("RIFF", 0, "latin1");
  bytes.writeUInt32LE(36 + size, 4);
  bytes.write("WAVEfmt ", 8, "latin1");
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(8000, 24);
  bytes.writeUInt32LE(16_000, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36, "latin1");
  bytes.writeUInt32LE(size, 40);
  bytes.write(text, 44, "latin1");
  return bytes;
}
