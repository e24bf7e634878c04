import { type ResolveHost, resolveOverHttps } from "../../src/io/resolve-host.ts";
import { attempt } from "./attempt.ts";
import type { Dispatcher, DispatcherOptions } from "./dispatcher.ts";

// How a dispatcher reaches endpoints from an object, and how an alarm waits for it.

/** Longer than most receivers need, and what Standard Webhooks advises. */
const ATTEMPT_TIMEOUT_MS = 15_000;

/** A receiver that replies does so in one piece, mostly. */
const BODY_MS = 250;

/** An alarm that delivers ends after so long, and the next one goes on: an object has one at a time. */
const ALARM_MS = 20_000;

/**
 * How long an answer of the resolver holds: a burst to one host resolves its name once. A name that changes
 * its address in between gains no more by it than between the answer and the connection.
 */
const HOLDS_MS = 30_000;

/** More hosts than there are endpoints. */
const MOST_HOSTS = 100;

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
    resolve: publicTargetsOnly ? rememberHosts(resolveOverHttps(request)) : null,
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

/** The same resolver, with its answers kept for a while. Failures are not kept. */
function rememberHosts(resolve: ResolveHost): ResolveHost {
  const known = new Map<
    string,
    { readonly untilMs: number; readonly addresses: readonly string[] }
  >();
  return async (host, signal) => {
    const remembered = known.get(host);
    if (remembered !== undefined && remembered.untilMs > wallMs()) return remembered.addresses;
    const addresses = await resolve(host, signal);
    if (known.size >= MOST_HOSTS) known.clear();
    known.set(host, { untilMs: wallMs() + HOLDS_MS, addresses });
    return addresses;
  };
}
