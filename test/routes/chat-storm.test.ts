import { afterEach, expect, it, vi } from "vitest";
import { reset } from "cloudflare:test";
import { constantFrom, integer, nat, record, sample } from "fast-check";
import { QUIET_MS, READ_ON_MS } from "../../src/generation/pump-stream.ts";
import { makeTenant, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";
import { openStream, writtenStreams } from "./streams.ts";

// Two hundred streams of one tenant at once: half are left by the client at some point, some are
// dropped by the engine, some never tell what they used, some fall silent. Whatever becomes of
// each, the ledger adds up.

const GEMMA = "@cf/google/gemma-4-26b-a4b-it"; // 9,091 in, 27,273 out
const STREAMS = 200;
const MAX_TOKENS = 60;
const PROMPT_TOKENS = 10;
/** Drawn from it is what befalls each stream. */
const SEED = 20_261_125;

afterEach(() => {
  vi.useRealTimers();
  return reset();
});

/** What is drawn for one stream. */
const fates = record({
  /** Each word is a token, as the engine counts. */
  words: integer({ min: 1, max: MAX_TOKENS }),
  engine: constantFrom("ends", "ends", "ends", "ends", "drops", "is silent", "tells nothing"),
  after: integer({ min: 1, max: MAX_TOKENS }),
  /** Where the client leaves, if it is one that does. */
  leaves: nat({ max: MAX_TOKENS }),
});

type Fate = ReturnType<
  typeof sample<{ words: number; engine: string; after: number; leaves: number }>
>[number];

/** Pieces after which the engine drops the stream or falls silent; the first names the role. */
const pointOf = ({ words, after }: Fate): number => 1 + (after % words);

function behaviourOf(fate: Fate): string {
  const { words, engine } = fate;
  const usage = `usage=${PROMPT_TOKENS}/${words}`;
  switch (engine) {
    case "drops":
      return `words=${words}&${usage}&cut=${pointOf(fate)}`;
    case "is silent":
      return `words=${words}&${usage}&stall=${pointOf(fate)}`;
    case "tells nothing":
      return `words=${words}&no_usage`;
    default:
      return `words=${words}&${usage}`;
  }
}

/** @param reads after which it leaves; infinitely many: it stays */
async function readOrLeave(response: Response, reads: number): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error("a stream has a body");
  const decoder = new TextDecoder();
  let text = "";
  for (let read = 0; read < reads; read += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one read after the other
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}

/** Every second client leaves; with an engine that is silent nobody can stay to the end. */
function readsOf(fate: Fate, at: number): number {
  const { words, engine, leaves } = fate;
  if (engine === "is silent") return leaves % pointOf(fate);
  return at % 2 === 0 ? leaves % (words + 1) : Infinity;
}

async function allLines(tenant: TestTenant) {
  const lines = [];
  let cursor = "";
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a page says where the next one is
    const { body } = await tenant.call("GET", `/v1/ledger?limit=200${cursor}`);
    lines.push(...body.data);
    if (!body.has_more) return lines;
    cursor = `&cursor=${body.next_cursor}`;
  }
}

it("adds up after a storm of streams", { timeout: 60_000 }, async () => {
  const tenant = await makeTenant("storm", { max_in_flight: STREAMS, daily_neurons: 100_000 });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const drawn = sample(fates, { numRuns: STREAMS, seed: SEED });
  const calls = await Promise.all(
    drawn.map(async (fate, at) => {
      const id = unique();
      const content = `[[fake:${behaviourOf(fate)}|${id}]]`;
      const messages = [{ role: "user", content }];
      const body = { model: GEMMA, messages, max_tokens: MAX_TOKENS };
      const open = await openStream(tenant.key, body);
      const { response } = open;
      // Dropped so early that nothing of it had arrived: an error like any other.
      if (fate.engine !== "drops" || response.status !== 502) expect(response.status).toBe(200);
      const read = await readOrLeave(response, readsOf(fate, at));
      return { fate, id, open, read, requestId: response.headers.get("x-request-id") };
    }),
  );
  for (const ms of [QUIET_MS, READ_ON_MS]) {
    // oxlint-disable-next-line no-await-in-loop -- what was left in a silence is noticed, then ended
    await scheduler.wait(300);
    vi.advanceTimersByTime(ms);
  }
  await Promise.all(calls.map(({ open }) => open.ended()));

  const lines = await allLines(tenant);
  expect(lines).toHaveLength(STREAMS);
  const { body: limits } = await tenant.call("GET", "/v1/limits");
  expect(limits.pending_micro_neurons).toBe(0);
  const sum = lines.reduce((total, { micro_neurons: amount }) => total + amount, 0);
  expect(limits.posted_micro_neurons).toBe(sum);
  expect((await tenant.call("GET", "/v1/invariants")).body.holds).toBe(true);

  const produced = await Promise.all(calls.map(({ id }) => writtenStreams(id)));
  const bases: Record<string, number> = {};
  for (const [at, { fate, requestId }] of calls.entries()) {
    const own = lines.filter((line) => line.request_id === requestId);
    expect(own).toHaveLength(1);
    const [line] = own;
    expect(line.outcome).toBe("posted");
    expect(line.micro_neurons).toBeLessThanOrEqual(line.held_micro_neurons);
    // The first piece names the role; each of the others up to the last word is a token.
    const words = Math.min(fate.words, Math.max(0, (produced[at]?.[0]?.pieces ?? 0) - 1));
    expect(line.micro_neurons).toBeGreaterThanOrEqual(words * 27_273);
    const [{ basis }] = line.items;
    bases[basis] = (bases[basis] ?? 0) + 1;
    if (fate.engine === "ends") {
      expect(line.micro_neurons).toBe(PROMPT_TOKENS * 9091 + fate.words * 27_273);
    } else if (basis === "held") {
      expect(line.micro_neurons).toBe(line.held_micro_neurons);
    }
  }
  const left = calls.filter(({ read }) => !read.includes("[DONE]") && !read.includes('"error"'));
  const dropped = calls.filter(({ read }) => read.includes('"error"'));
  const held = lines.reduce((total, { held_micro_neurons: amount }) => total + amount, 0);
  // oxlint-disable-next-line no-console -- what the run came to
  console.info(
    `${STREAMS} streams: ${left.length} left, ${dropped.length} seen to drop, ` +
      `by basis ${JSON.stringify(bases)}, ${sum} of ${held} uN held`,
  );
  expect(left.length).toBeGreaterThanOrEqual(STREAMS / 2);
  expect(dropped.length).toBeGreaterThan(8);
});
