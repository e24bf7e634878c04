import { describe, expect, it } from "vitest";
import {
  bytesOfBase64,
  bytesOfDataUri,
  bytesOfText,
  isDataUri,
} from "../../src/domain/text/base64.ts";

describe("bytesOfDataUri", () => {
  const bytes = new Uint8Array([0x89, 0x50, 0x4e, 0x00]);
  it.each([
    ["data:image/png;base64,iVBOAA=="],
    ["data:;base64,iVBOAA"],
    ["data:image/png;charset=utf-8;base64,iVBOAA=="],
    ["data:image/svg+xml;name=a.svg;BASE64,iVBOAA=="],
    ["DATA:IMAGE/PNG;BASE64,iVBOAA=="],
    [" data:image/png; base64 ,iVBOAA=="],
    ['data:image/png;name="a, \\"b\\";base64,c";base64,iVBOAA=='],
    ["data:image/png,%89PN%00"],
    ["data:,%89%50%4e%00"],
    ['data:image/png;name=";base64,",%89PN%00'],
    ["data:text/plain;charset=base64,%89PN%00"],
  ])("reads %s", (uri) => {
    expect(bytesOfDataUri(uri)).toEqual(bytes);
    expect(bytesOfText(uri)).toEqual(bytes);
    expect(isDataUri(uri)).toBe(true);
  });

  it.each([
    ["https://example.com/data:image/png;base64,AAAA"],
    [`data:${"a".repeat(400)};base64,AAAA`],
    ["data:image/png;base64"],
    ['data:image/png;name="a;base64,AAAA'],
    ["data:image/png;base64,A"],
    ["data:image/png,%8"],
    ["data:image/png,%zz"],
    ["data:image/png,\u0089PNG"],
    ["AAAA"],
  ])("refuses %s", (uri) => {
    expect(bytesOfDataUri(uri)).toBeNull();
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
