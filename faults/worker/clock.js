import { env } from "cloudflare:workers";

// The clock and the timers of the Worker under test. The code under test needs no hook for this: it
// calls the usual globals.

const offsetMs = Number(env.CLOCK_OFFSET_MS);
const jump = { atMs: Number(env.CLOCK_JUMP_AT_MS), byMs: Number(env.CLOCK_JUMP_MS) };
const patience = Number(env.TIMEOUT_DIVISOR);

/** Time runs CLOCK_SPEED times as fast, counted from a moment of the real clock. */
const speed = Number(env.CLOCK_SPEED);
const fastFromMs = Number(env.CLOCK_FAST_FROM_MS);

const now = Date.now;
const aheadMs = () =>
  offsetMs + (now() < jump.atMs ? 0 : jump.byMs) + Math.floor((now() - fastFromMs) * (speed - 1));
Date.now = () => now() + aheadMs();

/** Engines may take many seconds, but a life here has few: long waits are divided. */
const LONG_MS = 10_000;
const later = globalThis.setTimeout;
globalThis.setTimeout = (work, ms, ...rest) =>
  later(work, ms >= LONG_MS ? ms / patience : ms, ...rest);

/** Alarms are set in the shifted time but fire in the real time, so they are converted. */
export function shiftAlarms(ctx) {
  const { storage } = ctx;
  const setAlarm = storage.setAlarm.bind(storage);
  const getAlarm = storage.getAlarm.bind(storage);
  storage.setAlarm = (atMs, options) =>
    setAlarm(now() + (Number(atMs) - Date.now()) / speed, options);
  storage.getAlarm = async (options) => {
    const atMs = await getAlarm(options);
    return atMs === null ? null : Date.now() + (atMs - now()) * speed;
  };
  return ctx;
}
