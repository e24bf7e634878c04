import { expect, it } from "vitest";
import { fingerprint, parseIdempotencyKey, utf8 } from "../../src/http/call-labels.ts";

it.each([
  [null, null],
  ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', "8e03978e-40d5-43e8-bc93-6894a57f9324"],
  ["8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"],
  [' "a" ', "a"],
  ['"a\\"b\\\\c"', 'a"b\\c'],
  ["a".repeat(255), "a".repeat(255)],
  [`"${"a".repeat(255)}"`, "a".repeat(255)],
])("%s is the key %s", (header, key) => {
  expect(parseIdempotencyKey(header)).toBe(key);
});

it.each(["", '""', '"a', 'a"', "a b", '"a", "b"', '"a";p=1', '"\\x"', "é", "a".repeat(256)])(
  "%s is refused",
  (header) => {
    expect(parseIdempotencyKey(header)).toMatchObject({
      kind: "invalid_request",
      errors: [{ path: ["Idempotency-Key"] }],
    });
  },
);

it("takes the fingerprint of the bytes as sent", async () => {
  expect(await fingerprint(utf8(""))).toBe(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
  expect(await fingerprint(utf8("{}"))).not.toBe(await fingerprint(utf8("{ }")));
});
