import { bytesOfSecret } from "../../src/io/webhook-secret.ts";

// Signatures of deliveries: https://www.standardwebhooks.com, version 1.0.0. What is signed are the
// bytes that are sent, with the id and the time of the attempt before them, so that neither can be
// changed and an old one cannot be sent again.

export interface Message {
  /** `webhook-id`: the same with every attempt. */
  readonly id: string;
  readonly body: string;
}

/** The headers that a receiver verifies; each of the secrets signs (two while they rotate). */
export async function signatureHeaders(
  { id, body }: Message,
  secrets: readonly string[],
  nowMs: number,
): Promise<Readonly<Record<string, string>>> {
  const timestamp = Math.floor(nowMs / 1000);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(secrets.map((secret) => sign(signed, secret)));
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}

async function sign(signed: Uint8Array, secret: string): Promise<string> {
  const bytes = bytesOfSecret(secret);
  const usage = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes, usage, false, ["sign"]);
  return `v1,${new Uint8Array(await crypto.subtle.sign("HMAC", key, signed)).toBase64()}`;
}
