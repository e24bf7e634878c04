import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { makeTenant } from "../client.ts";

// A forum of 30,000 comments an hour, which come evenly, within a rate of 600 a minute: six minutes of it.

const COMMENTS = 3000;
const AT_ONCE = 50;
const SPAN_MS = 360_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

it("is answered without a refusal", async () => {
  const startMs = Date.UTC(2036, 10, 20, 10);
  vi.setSystemTime(startMs);
  const tenant = await makeTenant("forum-minutes", { rpm: { requests: 600 } });
  const statuses = new Map<number, number>();
  for (let sent = 0; sent < COMMENTS; sent += AT_ONCE) {
    vi.setSystemTime(startMs + (sent / COMMENTS) * SPAN_MS);
    // oxlint-disable-next-line no-await-in-loop -- time passes between them
    const replies = await Promise.all(
      Array.from({ length: AT_ONCE }, (_none, at) =>
        tenant.call("POST", "/v1alpha1/comments:analyze", {
          comment: { text: `Comment ${sent + at}: see you all at the match on Sunday.` },
          requestedAttributes: { TOXICITY: {} },
        }),
      ),
    );
    for (const { status } of replies) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  expect(Object.fromEntries(statuses)).toEqual({ 200: COMMENTS });
  // One more than the rate within one minute is refused: the rate was really in force.
  const burst = await Promise.all(
    Array.from({ length: 601 }, () =>
      tenant.call("POST", "/v1alpha1/comments:analyze", {
        comment: { text: "See you on Sunday." },
        requestedAttributes: { TOXICITY: {} },
      }),
    ),
  );
  expect(burst.some(({ status }) => status === 429)).toBe(true);
});
