import type { ResolveHost } from "../../src/io/resolve-host.ts";

/**
 * How long an answer of the resolver holds: a burst to one host asks once. A name that changes its
 * address in between gains nothing by it that it would not have between the answer and the connection.
 */
const HOLDS_MS = 30_000;

/** More hosts than there are endpoints. */
const MOST_HOSTS = 100;

/** Failures are not remembered. */
export function rememberHosts(resolve: ResolveHost, wallMs: () => number): ResolveHost {
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
