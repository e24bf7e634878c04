// What an exception from another object means. The runtime marks its own exceptions: a lost connection
// or an object that was reset is `retryable`, an object with too much to do is `overloaded`. All others
// come from our own code and are bugs: a repeat fails again.
// https://developers.cloudflare.com/durable-objects/best-practices/error-handling/

const isMarked = (error: unknown, mark: "retryable" | "overloaded" | "durableObjectReset") =>
  error instanceof Error && (error as unknown as Record<string, unknown>)[mark] === true;

/** Some of the runtime's own exceptions lose their marks on the way through an object in between. */
const OF_THE_RUNTIME = [
  "Network connection lost",
  "Durable Object reset because its code was updated",
  "Cannot resolve Durable Object due to transient issue on remote node",
  "Durable Object storage operation exceeded timeout which caused object to be reset",
  "Durable Object is overloaded",
];

/** The object was not reached, or did not finish: a later call may succeed. */
export const isTransient = (error: unknown): boolean =>
  isMarked(error, "retryable") ||
  isMarked(error, "overloaded") ||
  isMarked(error, "durableObjectReset") ||
  (error instanceof Error && OF_THE_RUNTIME.some((start) => error.message.startsWith(start)));

/** A repeat may succeed at once. A repeat does not help an overloaded object. */
export const isRetryable = (error: unknown): boolean =>
  isMarked(error, "retryable") && !isMarked(error, "overloaded");
