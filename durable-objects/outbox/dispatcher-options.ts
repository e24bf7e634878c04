import { resolveOverHttps } from "../../src/io/resolve-host.ts";
import { attempt } from "./attempt.ts";
import type { Dispatcher, DispatcherOptions } from "./dispatcher.ts";
import { rememberHosts } from "./remember-hosts.ts";

// How a courier reaches the world from an object, and how an alarm waits for it.

/** Longer than most receivers need, and what Standard Webhooks advises. */
const ATTEMPT_TIMEOUT_MS = 15_000;

/** A receiver that replies does so in one piece, mostly. */
const BODY_MS = 250;

/** An alarm that delivers ends after so long, and another goes on: an object has one at a time. */
const ALARM_MS = 20_000;

const wallMs = (): number => Date.now();

/** Looked up with each call. */
const request: typeof fetch = (...asked) => fetch(...asked);

export function dispatcherOptions({
  publicTargetsOnly,
}: {
  readonly publicTargetsOnly: boolean;
}): Pick<DispatcherOptions, "wallMs" | "attempt" | "random" | "timer"> {
  const options = {
    fetch: request,
    resolve: publicTargetsOnly ? rememberHosts(resolveOverHttps(request), wallMs) : null,
    wallMs,
    timeoutMs: ATTEMPT_TIMEOUT_MS,
    bodyMs: BODY_MS,
  };
  return {
    wallMs,
    attempt: (target, message) => attempt(target, message, options),
    timer: (afterMs, ring) => {
      const timer = setTimeout(ring, afterMs);
      return () => clearTimeout(timer);
    },
    random: () => (crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) / 256,
  };
}

/** Waits until nothing is being delivered, but not for ever. */
export async function restOrLate(dispatcher: Dispatcher): Promise<void> {
  if (!dispatcher.isBusy) return;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ALARM_MS);
  await Promise.race([dispatcher.rest(), late]);
  clearTimeout(timer);
}
