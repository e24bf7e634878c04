import { describe, expect, it } from "vitest";
import { TENANT_ID, issueKey, verifyAdminToken, verifyKey } from "../../src/http/authenticate.ts";

const NEW = "a-new-server-secret-of-32-bytes-or-more";
const OLD = "an-old-server-secret-of-32-bytes-or-more";

/** Another character of the alphabet at one place. */
const altered = (text: string, at: number): string =>
  text.slice(0, at) + (text[at] === "a" ? "b" : "a") + text.slice(at + 1);

describe("tenant keys", () => {
  it("are verified with the hash that was issued", async () => {
    const { key, secretHash, prefix } = await issueKey("acme", [NEW]);
    expect(key).toMatch(/^ng_acme_[0-9A-Za-z]{43}$/);
    expect(secretHash).toMatch(/^[0-9a-f]{64}$/);
    expect(prefix).toBe(key.slice("ng_acme_".length, "ng_acme_".length + 4));
    expect(await verifyKey(key, [NEW])).toEqual({ tenant: "acme", secretHash });
  });

  it("survive a rotation: the first secret signs, all verify", async () => {
    const { key } = await issueKey("acme", [OLD]);
    expect(await verifyKey(key, [NEW, OLD])).not.toBeNull();
    expect(await verifyKey(key, [NEW])).toBeNull();
    const { key: newer } = await issueKey("acme", [NEW, OLD]);
    expect(await verifyKey(newer, [OLD])).toBeNull();
    expect(await verifyKey(newer, [])).toBeNull();
  });

  it("are refused when any character differs", async () => {
    const { key } = await issueKey("acme", [NEW]);
    const forgeries = Array.from({ length: key.length }, (_, at) => altered(key, at));
    const verified = await Promise.all(forgeries.map((forged) => verifyKey(forged, [NEW])));
    expect(verified.every((result) => result === null)).toBe(true);
  });

  it("are refused under another tenant's name", async () => {
    const { key } = await issueKey("acme", [NEW]);
    expect(await verifyKey(key.replace("acme", "acm"), [NEW])).toBeNull();
    expect(await verifyKey(key.replace("acme", "other"), [NEW])).toBeNull();
  });

  it.each([
    "",
    "ng_",
    "ng_acme_",
    "sk-1234",
    `ng_Acme_${"a".repeat(43)}`,
    `ng_${"a".repeat(40)}_${"a".repeat(43)}`,
    `ng_acme_${"a".repeat(42)}`,
    `ng_acme_${"a".repeat(43)}\n`,
    `ng_acme_${"a".repeat(100_000)}`,
  ])("are refused when malformed: %.20s", async (text) => {
    expect(await verifyKey(text, [NEW])).toBeNull();
  });

  it("use every character about equally often", async () => {
    const keys = await Promise.all(Array.from({ length: 200 }, () => issueKey("a", [NEW])));
    const secrets = keys.map(({ key }) => key.slice(5, 5 + 32));
    expect(new Set(secrets).size).toBe(200);
    const counts = new Map<string, number>();
    for (const char of secrets.join("")) counts.set(char, (counts.get(char) ?? 0) + 1);
    expect(counts.size).toBe(62);
    // 6,400 characters over 62: 103 each, with a deviation of 10.
    expect(Math.min(...counts.values())).toBeGreaterThan(50);
    expect(Math.max(...counts.values())).toBeLessThan(170);
  });

  it("are not issued to what is no tenant id or without a secret", async () => {
    await expect(() => issueKey("Acme", [NEW])).rejects.toThrow(RangeError);
    await expect(() => issueKey("acme", [])).rejects.toThrow(RangeError);
  });
});

it.each([
  ["a", true],
  ["acme-2", true],
  ["a".repeat(39), true],
  ["a".repeat(40), false],
  ["-a", false],
  ["a_b", false],
  ["A", false],
  ["", false],
])("tenant id %s: %s", (text, valid) => {
  expect(TENANT_ID.test(text)).toBe(valid);
});

it("knows the admin token", async () => {
  const config = { adminToken: NEW };
  expect(await verifyAdminToken(NEW, config)).toBe(true);
  expect(await verifyAdminToken(`${NEW}x`, config)).toBe(false);
  expect(await verifyAdminToken("", config)).toBe(false);
});
