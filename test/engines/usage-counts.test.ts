import { expect, it } from "vitest";
import { readUsage } from "../../src/engines/engine-call.ts";

it("reads counts of tokens that are strings of digits", () => {
  const usage = { prompt_tokens: "5", completion_tokens: "7" };
  expect(readUsage({ usage })).toEqual({ input_token: 5, output_token: 7 });
});

it.each(["", " ", "-5", "5.5", "0x5", "five", 5.5, true, null, "99999999999999999999"])(
  "reads no count in %j",
  (prompt_tokens) => {
    expect(readUsage({ usage: { prompt_tokens, completion_tokens: 7 } })).toBeNull();
  },
);

it("takes no cached tokens where a server writes null", () => {
  const prompt_tokens_details = { cached_tokens: null };
  const usage = { prompt_tokens: 5, completion_tokens: 7, prompt_tokens_details };
  expect(readUsage({ usage })).toEqual({ input_token: 5, output_token: 7 });
});
