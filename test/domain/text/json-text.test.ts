import { describe, expect, it } from "vitest";
import { repeatedName } from "../../../src/domain/text/json-text.ts";

describe("a name that an object has twice", () => {
  it.each<[string, readonly (string | number)[]]>([
    ['{"a":1,"a":2}', ["a"]],
    ['{"tenants":{"x":{"b":[1,{"c":2}]},"demo":1, "demo" : 2}}', ["tenants", "demo"]],
    ['{"list":[{"a":1},[0,{"a":1,"b":{},"a":3}]]}', ["list", 1, 1, "a"]],
    // Another spelling of the same name.
    ['{"demo":1,"\\u0064emo":2}', ["demo"]],
    ['{"a\\"b":1,"a\\"b":2}', ['a"b']],
    ['{"":{"":1,"":2}}', ["", ""]],
    ['{"a":{"z":1},"b":2,"a":{"z":1}}', ["a"]],
  ])("is found with its path: %s", (json, path) => {
    expect(JSON.parse(json)).toBeTruthy();
    expect(repeatedName(json)).toEqual(path);
  });

  it.each([
    "1",
    '"a"',
    "[]",
    '["a","a",{"a":"a"},{"a":"a"}]',
    '{"a":{"a":{"a":"a"}},"b":["a","b"]}',
    '{"a":"{\\"a\\":1,\\"a\\":2}","b":",\\"a\\":"}',
    '{"a":1,"A":2,"a ":3}',
    '{"toString":1,"constructor":2}',
  ])("is not there: %s", (json) => {
    expect(JSON.parse(json)).toBeDefined();
    expect(repeatedName(json)).toBeNull();
  });
});
