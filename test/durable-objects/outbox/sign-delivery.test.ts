import OpenAI from "openai";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signatureHeaders } from "../../../durable-objects/outbox/sign-delivery.ts";
import { newWebhookSecret } from "../../../src/io/webhook-secret.ts";
import vector from "../../vectors/webhook.json";

// Receivers as people write them, with each of the libraries: they accept what we sign, and refuse
// what was changed, what is old and what another secret signed.

const SIGNED_AT = Number(vector.headers["webhook-timestamp"]) * 1000;

beforeEach(() => {
  vi.useFakeTimers({ now: SIGNED_AT, toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

type Headers = Readonly<Record<string, string>>;

/** Reject, or throw, when the delivery is not to be believed. */
const RECEIVERS: Readonly<
  Record<string, (body: string, headers: Headers, secret: string) => unknown>
> = {
  standardwebhooks: (body, headers, secret) => new StandardWebhook(secret).verify(body, headers),
  svix: (body, headers, secret) => new SvixWebhook(secret).verify(body, headers),
  openai: (body, headers, secret) =>
    new OpenAI({ apiKey: "none" }).webhooks.unwrap(body, headers, secret),
};

const message = { id: vector.headers["webhook-id"], body: vector.body };

describe("a signature", () => {
  it("is that of the published example", async () => {
    const headers = await signatureHeaders(message, [vector.secret], SIGNED_AT + 999);
    expect(headers).toEqual(vector.headers);
  });

  it("is made with secrets of 32 random bytes", () => {
    expect(newWebhookSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(newWebhookSecret()).not.toBe(newWebhookSecret());
  });
});

describe.each(Object.entries(RECEIVERS))("a receiver with %s", (_, receive) => {
  const received = async (body: string, headers: Headers, secret: string): Promise<unknown> =>
    receive(body, headers, secret);

  it("accepts a delivery", async () => {
    const secret = newWebhookSecret();
    const body = JSON.stringify({
      id: message.id,
      type: "moderation.verdict",
      data: { text: "é✓" },
    });
    const headers = await signatureHeaders({ id: message.id, body }, [secret], SIGNED_AT);
    expect(await received(body, headers, secret)).toEqual(JSON.parse(body));
  });

  it("accepts both secrets while they rotate", async () => {
    const secrets = [newWebhookSecret(), newWebhookSecret()];
    const headers = await signatureHeaders(message, secrets, SIGNED_AT);
    for (const secret of secrets) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await received(message.body, headers, secret)).toEqual(JSON.parse(message.body));
    }
  });

  it("refuses a changed byte", async () => {
    const headers = await signatureHeaders(message, [vector.secret], SIGNED_AT);
    const body = message.body.replace('"decision":"block"', '"decision":"bl0ck"');
    await expect(() => received(body, headers, vector.secret)).rejects.toThrow();
  });

  it("refuses another id", async () => {
    const headers = await signatureHeaders(message, [vector.secret], SIGNED_AT);
    const other = { ...headers, "webhook-id": "evt_01M7WM9W9MGR8G0JHMPVT7TDX5" };
    await expect(() => received(message.body, other, vector.secret)).rejects.toThrow();
  });

  it("refuses an old timestamp", async () => {
    const headers = await signatureHeaders(message, [vector.secret], SIGNED_AT - 301_000);
    await expect(() => received(message.body, headers, vector.secret)).rejects.toThrow();
  });

  it("refuses a wrong secret", async () => {
    const headers = await signatureHeaders(message, [newWebhookSecret()], SIGNED_AT);
    await expect(() => received(message.body, headers, vector.secret)).rejects.toThrow();
  });
});
