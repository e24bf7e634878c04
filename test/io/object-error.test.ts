import { describe, expect, it } from "vitest";
import { isRetryable, isTransient } from "../../src/io/object-error.ts";

const marked = (marks: object, message = "x") => Object.assign(new Error(message), marks);

describe("an exception of an object", () => {
  it.each([
    ["a connection that was lost", marked({ retryable: true, remote: true }), true, true],
    ["an object with too much to do", marked({ overloaded: true, remote: true }), true, false],
    [
      "an object with too much to do, retryable",
      marked({ overloaded: true, retryable: true }),
      true,
      false,
    ],
    ["an object that was reset", marked({ durableObjectReset: true, remote: true }), true, false],
    ["an unmarked lost connection", new Error("Network connection lost."), true, false],
    [
      "an unmarked new deployment",
      new Error("Durable Object reset because its code was updated."),
      true,
      false,
    ],
    [
      "a bug of ours",
      marked({ remote: true }, "Cannot read properties of undefined"),
      false,
      false,
    ],
    ["a time that no id can hold", new Error("cannot encode a negative time"), false, false],
    ["a mark that says no", marked({ retryable: false, overloaded: false }), false, false],
    [
      "words of the runtime within others",
      new Error("it says: Network connection lost."),
      false,
      false,
    ],
    ["what is no error", { retryable: true }, false, false],
    ["nothing", undefined, false, false],
  ])("%s", (_, error, transient, retryable) => {
    expect(isTransient(error)).toBe(transient);
    expect(isRetryable(error)).toBe(retryable);
  });
});
