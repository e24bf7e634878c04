import { describe, expect, it } from "vitest";
import { parseJson } from "../../src/http/read-body.ts";

const valueOf = (json: string): unknown => {
  const body = parseJson(new TextEncoder().encode(json));
  return body.kind === "json" ? body.value : body;
};

describe("a JSON body", () => {
  it.each<[string, unknown]>([
    [String.raw`"cut: \ud83d"`, "cut: \ufffd"],
    [String.raw`"\uDE00\ud83d\ud83d\ude00"`, "\ufffd\ufffd😀"],
    [
      String.raw`{"a\ud83d":["\udc00",{"b":"\ud83d\u0041"}]}`,
      { "a\ufffd": ["\ufffd", { b: "\ufffdA" }] },
    ],
    [String.raw`"no \\ud83d escape"`, String.raw`no \ud83d escape`],
    [String.raw`[1,null,true,"\ud83d"]`, [1, null, true, "\ufffd"]],
  ])("has no half of a pair: %s", (json, value) => {
    expect(valueOf(json)).toEqual(value);
  });
});
