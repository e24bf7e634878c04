/** Logs the name of what failed in an object, never its message: that may hold content. */
export const failureReporter =
  (object: "account" | "applies" | "session" | "tenant") =>
  (event: string, error: unknown): void => {
    const name = error instanceof Error ? error.name : "unknown";
    // oxlint-disable-next-line no-console -- structured logs go to the console
    console.error(JSON.stringify({ level: "error", event, object, error: name }));
  };
