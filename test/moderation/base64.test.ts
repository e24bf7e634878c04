import { describe, expect, it } from "vitest";
import { base64OfUri, bytesOfBase64, isDataUri } from "../../src/domain/text/base64.ts";

describe("base64OfUri", () => {
  it.each([
    ["data:image/png;base64,AAAA"],
    ["data:;base64,AAAA"],
    ["data:image/png;charset=utf-8;base64,AAAA"],
    ["data:image/svg+xml;name=a.svg;BASE64,AAAA"],
    ["DATA:IMAGE/PNG;BASE64,AAAA"],
    [" data:image/png; base64 ,AAAA"],
  ])("reads %s", (uri) => {
    expect(base64OfUri(uri)).toBe("AAAA");
    expect(isDataUri(uri)).toBe(true);
  });

  it.each([
    ["data:image/png,AAAA"],
    ["data:text/plain;charset=base64,AAAA"],
    ["https://example.com/data:image/png;base64,AAAA"],
    [`data:${"a".repeat(400)};base64,AAAA`],
    ["AAAA"],
  ])("does not take %s for one", (uri) => {
    expect(base64OfUri(uri)).toBeNull();
  });
});

describe("bytesOfBase64", () => {
  const bytes = new Uint8Array([251, 255, 254, 0]);
  it.each([
    ["+//+AA=="],
    ["+//+AA"],
    ["-__-AA"],
    ["-__-AA=="],
    ["%2B%2F%2f%2BAA%3D%3D"],
    ["+//\n+AA=="],
  ])("reads %s", (text) => {
    expect(bytesOfBase64(text)).toEqual(bytes);
  });

  it.each([["+-AA"], ["A"], ["AA=A"], ["%zz"], ["ä"]])("refuses %s", (text) => {
    expect(bytesOfBase64(text)).toBeNull();
  });
});
