import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isPublicAddress } from "../../src/io/public-address.ts";

// The first and the last address of each block, and its neighbours outside.
test.each([
  ["0.0.0.0", "0.255.255.255", null, "1.0.0.0"],
  ["10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"],
  ["100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"],
  ["127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"],
  ["169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"],
  ["172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"],
  ["192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"],
  ["192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"],
  ["192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"],
  ["192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"],
  ["198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"],
  ["198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"],
  ["203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"],
  ["224.0.0.0", "255.255.255.255", "223.255.255.255", null],
  ["::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", null, "2000::"],
  ["2001::", "2001:1ff:ffff::", "2000:ffff::1", "2001:200::"],
  ["2001:db8::", "2001:db8:ffff::1", "2001:db7:ffff::", "2001:db9::"],
  ["2002::", "2002:ffff::", "2001:ffff::", "2003::"],
  ["3fff::", "3fff:fff:ffff::", "3ffe:ffff::", "3fff:1000::"],
  ["4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:ffff::", null],
])("%s to %s is not public, and around it is", (first, last, before, after) => {
  for (const address of [first, last]) expect(isPublicAddress(address), address).toBe(false);
  for (const address of [before, after]) {
    if (address !== null) expect(isPublicAddress(address), address).toBe(true);
  }
});

test.each([
  "::1",
  "::ffff:8.8.8.8",
  "::ffff:10.0.0.1",
  "::8.8.8.8",
  "64:ff9b::8.8.8.8",
  "64:ff9b:1::a00:1",
  "2002:a00:1::",
  "2001:0:4136:e378:8000:63bf:3fff:fdd2",
  "100::1",
  "5f00::1",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fec0::1",
  "ff02::1",
])("%s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["8.8.8.8", "104.16.132.229", "2606:4700::6810:84e5", "2A00:1450:4001:82A::200E"])(
  "%s is public",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  "",
  "8.8.8",
  "8.8.8.8.",
  "08.8.8.8",
  "010.8.8.8",
  "0x8.8.8.8",
  "134744072",
  "8.8.8.256",
  "8.8.8.8/24",
  "8.8.8.8@x",
  "2606:4700::1%eth0",
  "[2606:4700::1]",
  "2606:4700::1]:80/[",
  ":",
  "cdn.shop.com",
])("%j is no address", (text) => {
  expect(isPublicAddress(text)).toBe(false);
});

test("reads every spelling of an IPv6 address alike, and never throws", () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const long = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? "";
      expect(isPublicAddress(address)).toBe(isPublicAddress(long));
    }),
  );
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !isPublicAddress(text)));
});
