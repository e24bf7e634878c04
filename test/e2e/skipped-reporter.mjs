// A reporter of `node --test` that writes what was skipped, a reason a line, for scripts/test.mjs.

/** @param {AsyncIterable<any>} events */
export default async function* skippedReporter(events) {
  for await (const { type, data } of events) {
    if (type === "test:pass" && data.skip !== undefined && data.skip !== false) {
      yield `${JSON.stringify({ name: data.name, reason: String(data.skip) })}\n`;
    }
  }
}
