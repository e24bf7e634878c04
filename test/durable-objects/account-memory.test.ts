import { describe, expect, it } from "vitest";
import {
  AccountQueue,
  type Answered,
} from "../../durable-objects/tenant/account/account-memory.ts";
import type { Missing } from "../../src/domain/account/account-budget.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";

// Calls that wait for the account, with a clock of the test: a second is over when it says so.

const missing: Missing = { bound: microNeurons(1), rates: {}, probe: false };

const answerWith = (refused: boolean): Answered => ({
  kind: "answered",
  view: { notice: 0, isPooled: true, closure: null, sizes: null },
  lease: {
    seq: 1,
    granted: ZERO,
    deadlineMs: 0,
    repeated: false,
    refused: refused
      ? {
          isSpent: false,
          available: ZERO,
          reachable: ZERO,
          level: ZERO,
          missing: ZERO,
          againAtMs: 0,
          tooLargeAgainAtMs: 0,
        }
      : null,
  },
  rates: null,
  outlook: null,
  mayProbe: false,
  nowMs: 0,
});

/** Lets everything happen that waits for nothing. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

function queueOf(answer: () => Answered | null) {
  const questions: number[] = [];
  const pauses: (() => void)[] = [];
  const queue = new AccountQueue({
    ask: (calls) => {
      questions.push(calls.length);
      return Promise.resolve(answer());
    },
    pauseMs: () => 1000,
    sleep: () => new Promise((resolve) => pauses.push(resolve)),
  });
  return { queue, questions, endPause: () => pauses.shift()?.() };
}

describe("calls that wait for the account", () => {
  it("of one commit share a question", async () => {
    const { queue, questions } = queueOf(() => answerWith(false));
    const answered = await Promise.all([1, 2, 3].map(() => queue.request(missing)));
    expect(answered).toEqual([true, true, true]);
    expect(questions).toEqual([3]);
  });

  it("gather for the next question until its pause is over, however many come", async () => {
    const { queue, questions, endPause } = queueOf(() => answerWith(true));
    await queue.request(missing);
    const calls = Array.from({ length: 300 }, () => queue.request(missing));
    await settled();
    expect(questions).toEqual([1]);
    endPause();
    // Those that the question had no room for are refused as it was: they look at what is known now.
    expect(await Promise.all(calls)).toHaveLength(300);
    expect(questions).toEqual([1, 256]);
  });

  it("are asked for once a pause, whatever was answered", async () => {
    let count = 0;
    const { queue, questions, endPause } = queueOf(() => answerWith((count += 1) % 2 === 0));
    for (let second = 0; second < 10; second += 1) {
      const calls = Array.from({ length: 5 }, () => queue.request(missing));
      // oxlint-disable-next-line no-await-in-loop -- second after second
      await settled();
      expect(questions).toHaveLength(second + 1);
      endPause();
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all(calls);
    }
  });

  it("are told at once when the account does not answer", async () => {
    const { queue, endPause } = queueOf(() => null);
    const first = queue.request(missing);
    expect(await first).toBe(false);
    const second = queue.request(missing);
    endPause();
    expect(await second).toBe(false);
    expect(queue.waiting).toBe(0);
  });
});
