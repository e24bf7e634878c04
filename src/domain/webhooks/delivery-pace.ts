// How many attempts an endpoint was sent in the last minute, so that it is never sent more than its limit in
// any 60,000 ms. Slots are a tenth of a second: an endpoint that always takes its limit loses no more than
// one slot in a minute, and the stored list is bounded.

const SLOT_MS = 100;

/** The most slots that a window of a minute touches, wherever it starts. */
const SLOTS = 601;

/** Attempts by slot, oldest first, at most 601 entries. */
export type Sent = readonly (readonly [slot: number, attempts: number])[];

export const NONE_SENT: Sent = [];

const slotOf = (atMs: number): number => Math.floor(atMs / SLOT_MS);

/** A slot counts as long as it may share a minute with an attempt of now. */
const leavesAtMs = (slot: number): number => (slot + SLOTS) * SLOT_MS;

const live = (sent: Sent, nowMs: number): Sent => sent.filter(([slot]) => leavesAtMs(slot) > nowMs);

const total = (sent: Sent): number => sent.reduce((sum, [, attempts]) => sum + attempts, 0);

/** How many more attempts fit now. */
export const roomFor = (sent: Sent, limit: number, nowMs: number): number =>
  Math.max(0, limit - total(live(sent, nowMs)));

/** When one more attempt fits: now, or when enough of the oldest have left. */
export function roomAtMs(sent: Sent, limit: number, nowMs: number): number {
  const within = live(sent, nowMs);
  let excess = total(within) + 1 - limit;
  if (excess <= 0) return nowMs;
  for (const [slot, attempts] of within) {
    excess -= attempts;
    if (excess <= 0) return leavesAtMs(slot);
  }
  return leavesAtMs(slotOf(nowMs));
}

export function withSent(sent: Sent, attempts: number, nowMs: number): Sent {
  const within = live(sent, nowMs);
  const last = within.at(-1);
  // If the clock went back, attempts count in the last slot: they are forgotten later, never sooner.
  const slot = Math.max(slotOf(nowMs), last?.[0] ?? 0);
  return last?.[0] === slot
    ? [...within.slice(0, -1), [slot, last[1] + attempts]]
    : [...within, [slot, attempts]];
}

/** Two numbers for each slot: its distance from the slot before, and its attempts. */
export function encodeSent(sent: Sent): string {
  let before = 0;
  const numbers = sent.flatMap(([slot, attempts]) => {
    const pair = [slot - before, attempts];
    before = slot;
    return pair;
  });
  return JSON.stringify(numbers);
}

export function decodeSent(text: string): Sent {
  const numbers = JSON.parse(text) as number[];
  let slot = 0;
  return numbers.flatMap((distance, at) => {
    if (at % 2 === 1) return [];
    slot += distance;
    return [[slot, numbers[at + 1] ?? 0] as const];
  });
}
