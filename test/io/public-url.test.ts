import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkPublicUrl } from "../../src/io/public-url.ts";

const NO_ADDRESS = "must name a host, not an IP address";
const PUBLIC = "must name a public host";
const VALID = "must be a valid URL";

test.each([
  ["https://cdn.shop.com/cat.png", "https://cdn.shop.com/cat.png"],
  ["https://cdn.shop.com", "https://cdn.shop.com/"],
  ["HTTPS://CDN.Shop.com:443/a?b=c", "https://cdn.shop.com/a?b=c"],
  ["https://cdn.shop.com/a#part", "https://cdn.shop.com/a"],
  ["https://cdn.shop.com./a", "https://cdn.shop.com/a"],
  ["https://bücher.de/ä.png", "https://xn--bcher-kva.de/%C3%A4.png"],
  ["https://a.xn--p1ai/", "https://a.xn--p1ai/"],
  ["https://my_bucket.s3.amazonaws.com/a", "https://my_bucket.s3.amazonaws.com/a"],
  ["https://1.2.3.4.nip.io/", "https://1.2.3.4.nip.io/"],
  ["https://localhost.com/", "https://localhost.com/"],
  ["https://mylocal.shop/", "https://mylocal.shop/"],
])("allows %s", (text, href) => {
  const result = checkPublicUrl(text);
  expect(result.kind === "allowed" && result.url.href).toBe(href);
});

test.each([
  ["", "must start with https:"],
  ["http://cdn.shop.com/", "must start with https:"],
  ["ftp://cdn.shop.com/", "must start with https:"],
  ["file:///etc/passwd", "must start with https:"],
  ["data:image/png;base64,AAAA", "must start with https:"],
  ["javascript:alert(1)", "must start with https:"],
  ["//cdn.shop.com/", "must start with https:"],
  ["/cat.png", "must start with https:"],
  [" https://cdn.shop.com/", "must start with https:"],
  ["https", "must start with https:"],
  ["https://cdn.shop.com/a b", "must not contain spaces or control characters"],
  ["https://cdn.shop.com/\r\nhost: x", "must not contain spaces or control characters"],
  ["https://cdn.sh\top.com/", "must not contain spaces or control characters"],
  ["https:", VALID],
  ["https://", VALID],
  ["https://cdn shop.com".replace(" ", "%20"), VALID],
  ["https://cdn.shop.com:99999/", VALID],
  ["https://1.2.3.4.5/", VALID],
  ["https://256.256.256.256/", VALID],
  ["https://[::1/", VALID],
  ["https://user@cdn.shop.com/", "must not contain a user name or a password"],
  ["https://user:pass@cdn.shop.com/", "must not contain a user name or a password"],
  ["https://:pass@cdn.shop.com/", "must not contain a user name or a password"],
  ["https://cdn.shop.com@127.0.0.1/", "must not contain a user name or a password"],
  ["https://cdn.shop.com:8443/", "must not name a port other than 443"],
  ["https://cdn.shop.com:80/", "must not name a port other than 443"],
  // Every spelling of an address.
  ["https://127.0.0.1/", NO_ADDRESS],
  ["https://127.0.0.1./", NO_ADDRESS],
  ["https://8.8.8.8/", NO_ADDRESS],
  ["https://2130706433/", NO_ADDRESS],
  ["https://0x7f000001/", NO_ADDRESS],
  ["https://0x7f.1/", NO_ADDRESS],
  ["https://0177.0.0.1/", NO_ADDRESS],
  ["https://017700000001/", NO_ADDRESS],
  ["https://127.1/", NO_ADDRESS],
  ["https://127.1./", NO_ADDRESS],
  ["https://0/", NO_ADDRESS],
  ["https://%31%32%37.0.0.1/", NO_ADDRESS],
  ["https://127。0。0。1/", NO_ADDRESS],
  ["https://①②⑦.0.0.1/", NO_ADDRESS],
  ["https:\\\\127.0.0.1\\", NO_ADDRESS],
  ["https:127.0.0.1", NO_ADDRESS],
  ["https:///127.0.0.1", NO_ADDRESS],
  ["https://[::1]/", NO_ADDRESS],
  ["https://[::]/", NO_ADDRESS],
  ["https://[::ffff:127.0.0.1]/", NO_ADDRESS],
  ["https://[::ffff:7f00:1]/", NO_ADDRESS],
  ["https://[64:ff9b::7f00:1]/", NO_ADDRESS],
  ["https://[fd00::1]/", NO_ADDRESS],
  ["https://[2606:4700::1111]/", NO_ADDRESS],
  // Names that are not public.
  ["https://localhost/", PUBLIC],
  ["https://localhost./", PUBLIC],
  ["https://LOCALHOST/", PUBLIC],
  ["https://ⓛocalhost/", PUBLIC],
  ["https://app.localhost/", PUBLIC],
  ["https://intranet/", PUBLIC],
  ["https://metadata.google.internal/", PUBLIC],
  ["https://metadata.google.internal./", PUBLIC],
  ["https://printer.local/", PUBLIC],
  ["https://nas.lan/", PUBLIC],
  ["https://router.home.arpa/", PUBLIC],
  ["https://home.arpa/", PUBLIC],
  ["https://box.home/", PUBLIC],
  ["https://wiki.corp/", PUBLIC],
  ["https://wiki.private/", PUBLIC],
  ["https://wiki.intranet/", PUBLIC],
  ["https://a.test/", PUBLIC],
  ["https://a.example/", PUBLIC],
  ["https://a.invalid/", PUBLIC],
  ["https://a.onion/", PUBLIC],
  ["https://host.localdomain/", PUBLIC],
  ["https://com/", PUBLIC],
  ["https://a..com/", PUBLIC],
  ["https://cdn.shop.com../", PUBLIC],
  ["https://.shop.com/", PUBLIC],
  ["https://-a.com/", PUBLIC],
  ["https://a;b.com/", PUBLIC],
  [`https://${"a".repeat(64)}.com/`, PUBLIC],
  [`https://${"abc.".repeat(64)}com/`, PUBLIC],
])("refuses %s", (text, detail) => {
  expect(checkPublicUrl(text)).toEqual({ kind: "refused", detail });
});

test("bounds the length, also of what encoding makes of it", () => {
  const start = "https://cdn.shop.com/";
  const tooLong = { kind: "refused", detail: "must be at most 2048 characters long" };
  expect(checkPublicUrl(start + "a".repeat(2048 - start.length)).kind).toBe("allowed");
  expect(checkPublicUrl(start + "a".repeat(2049 - start.length))).toEqual(tooLong);
  expect(checkPublicUrl(start + "ä".repeat(1000))).toEqual(tooLong);
});

test("never throws, and allows nothing but https, port 443 and a dotted name", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary" }).map((text) => `https://${text}`),
    fc.webUrl({ validSchemes: ["https"], withFragments: true }),
    fc.ipV4Extended().map((address) => `https://${address}/`),
    fc.ipV6().map((address) => `https://[${address}]/`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const result = checkPublicUrl(text);
      if (result.kind === "refused") return;
      const { protocol, port, username, password, hash, hostname } = result.url;
      expect({ protocol, port, username, password, hash }).toEqual({
        protocol: "https:",
        port: "",
        username: "",
        password: "",
        hash: "",
      });
      expect(hostname).toMatch(/^[a-z0-9_.-]+\.[a-z][a-z0-9-]+$/);
    }),
    { numRuns: 500 },
  );
});
