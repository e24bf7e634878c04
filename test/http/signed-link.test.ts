import { describe, expect, it } from "vitest";
import {
  LINK_LIFETIME_S,
  type LinkClaim,
  readLink,
  signedLink,
} from "../../src/http/signed-link.ts";

const OLD = "an old secret of at least thirty-two bytes";
const NEW = "a new secret of at least thirty-two bytes!";
const NOW_MS = 1_800_000_000_000;

const CLAIM = {
  tenant: "acme",
  generation: 2,
  path: "/v1/images/img_01M7WM9VDG3WVTE8T1RYS3AM18",
  query: {},
  expiresAtS: NOW_MS / 1000 + LINK_LIFETIME_S,
};

const utf8 = (text: string) => new TextEncoder().encode(text);

const made = async (claim: LinkClaim = CLAIM, secrets = [NEW, OLD]) =>
  new URL(await signedLink("https://gateway.test", claim, secrets));

describe("a signed link", () => {
  it("opens what it names until it ends, with any secret that is still known", async () => {
    const link = await made();
    expect(await readLink(link, [NEW, OLD], NOW_MS)).toEqual(CLAIM);
    expect(await readLink(link, [OLD, NEW], NOW_MS)).toEqual(CLAIM);
    expect(await readLink(link, [OLD], NOW_MS)).toBeNull();
    expect(await readLink(link, [NEW], NOW_MS + 3_599_999)).toEqual(CLAIM);
    expect(await readLink(link, [NEW], NOW_MS + 3_600_000)).toBeNull();
  });

  it("is refused when it claims to last longer than any that is made", async () => {
    const link = await made({ ...CLAIM, expiresAtS: CLAIM.expiresAtS + 61 });
    expect(await readLink(link, [NEW], NOW_MS)).toBeNull();
  });

  it.each([
    ["tenant", "other"],
    ["life", "1"],
    ["life", "02"],
    ["expires", String(CLAIM.expiresAtS + 1)],
    ["signature", "A".repeat(43)],
    ["signature", ""],
    ["signature", "short"],
    ["expires", "1e12"],
    ["expires", ""],
  ])("is nothing with %s=%s", async (name, value) => {
    const link = await made();
    link.searchParams.set(name, value);
    expect(await readLink(link, [NEW], NOW_MS)).toBeNull();
  });

  it("opens no other path", async () => {
    const link = await made();
    link.pathname = `${CLAIM.path}/metadata`;
    expect(await readLink(link, [NEW], NOW_MS)).toBeNull();
  });

  it("opens exactly the query that it names, in any order", async () => {
    const claim = { ...CLAIM, query: { width: "64", format: "webp" } };
    const link = await made(claim);
    expect(await readLink(link, [NEW], NOW_MS)).toEqual(claim);
    const sorted = new URL(link);
    sorted.searchParams.sort();
    expect(await readLink(sorted, [NEW], NOW_MS)).toEqual(claim);
    const changes: ((search: URLSearchParams) => void)[] = [
      (search) => search.set("width", "65"),
      (search) => search.delete("width"),
      (search) => search.append("height", "64"),
      (search) => search.append("width", "65"),
      (search) => ["width", "format"].forEach((name) => search.delete(name)),
    ];
    for (const change of changes) {
      const changed = new URL(link);
      change(changed.searchParams);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await readLink(changed, [NEW], NOW_MS)).toBeNull();
    }
    const plain = await made();
    plain.searchParams.set("width", "64");
    expect(await readLink(plain, [NEW], NOW_MS)).toBeNull();
  });

  it("is signed with a key of its own: the secret itself signs nothing that is taken", async () => {
    const link = await made();
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", utf8(NEW), hmac, false, ["sign"]);
    const { tenant, generation, path, expiresAtS } = CLAIM;
    const message = utf8(JSON.stringify([tenant, generation, path, expiresAtS]));
    const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
    const text = mac.toBase64({ alphabet: "base64url", omitPadding: true });
    link.searchParams.set("signature", text);
    expect(await readLink(link, [NEW], NOW_MS)).toBeNull();
  });
});
