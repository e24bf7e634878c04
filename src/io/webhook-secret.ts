// Secrets that sign deliveries: https://www.standardwebhooks.com, version 1.0.0.

/** `whsec_` and base64. */
const PREFIX = "whsec_";

/** The specification asks for 24 to 64. */
const BYTES = 32;

export const newWebhookSecret = (): string =>
  PREFIX + crypto.getRandomValues(new Uint8Array(BYTES)).toBase64();

/** The key of the signature. */
export const bytesOfSecret = (secret: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.fromBase64(secret.slice(PREFIX.length));
