// What an exception from another object says. The runtime marks those of its own making: a lost
// connection or an object that was reset is `retryable`, one with too much to do is `overloaded`.
// Everything else was thrown by our own code, where it is a bug: a repeat meets it again.
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

/** The object could not be asked, or did not finish: it may answer when it is asked again. */
export const isTransient = (error: unknown): boolean =>
  isMarked(error, "retryable") ||
  isMarked(error, "overloaded") ||
  isMarked(error, "durableObjectReset") ||
  (error instanceof Error && OF_THE_RUNTIME.some((start) => error.message.startsWith(start)));

/** A repeat may succeed at once. An object that is overloaded is not helped by one. */
export const isRetryable = (error: unknown): boolean =>
  isMarked(error, "retryable") && !isMarked(error, "overloaded");
