import * as v from "valibot";
import { readAtMost } from "./read-at-most.ts";

/** The IP addresses of a host name; none when there is no such host. Rejects when the lookup fails. */
export type ResolveHost = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

/** Cloudflare's resolver, in its JSON form: the form of RFC 8484 would need a DNS parser. */
const RESOLVER_URL = "https://cloudflare-dns.com/dns-query";

/** Far more than an answer with dozens of addresses takes. */
const MAX_ANSWER_BYTES = 65_536;

/** https://www.iana.org/assignments/dns-parameters */
const RECORD_TYPES = { A: 1, AAAA: 28 } as const;
const NO_ERROR = 0;
const NO_SUCH_NAME = 3;

const DnsAnswer = v.object({
  Status: v.number(),
  Answer: v.optional(v.array(v.object({ type: v.number(), data: v.string() })), []),
});

/** Resolves by DNS over HTTPS, since a Worker cannot read the answer of any other resolver. */
export function resolveOverHttps(fetch: typeof globalThis.fetch): ResolveHost {
  return async (host, signal) => {
    const ask = (type: keyof typeof RECORD_TYPES) => lookUp(fetch, host, type, signal);
    return (await Promise.all([ask("A"), ask("AAAA")])).flat();
  };
}

async function lookUp(
  fetch: typeof globalThis.fetch,
  host: string,
  type: keyof typeof RECORD_TYPES,
  signal: AbortSignal,
): Promise<string[]> {
  const query = new URLSearchParams({ name: host, type }).toString();
  const response = await fetch(`${RESOLVER_URL}?${query}`, {
    headers: { accept: "application/dns-json" },
    redirect: "manual",
    signal,
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`The resolver answered ${response.status}.`);
  }
  const bytes = await readAtMost(response.body, MAX_ANSWER_BYTES);
  if (bytes === null) throw new Error("The resolver's answer is too large.");
  const answer = v.parse(DnsAnswer, JSON.parse(new TextDecoder().decode(bytes)));
  if (answer.Status !== NO_ERROR && answer.Status !== NO_SUCH_NAME) {
    throw new Error(`The resolver failed with code ${answer.Status}.`);
  }
  // An answer also lists the aliases (CNAME) on the way; only addresses are of interest.
  return answer.Answer.filter((record) => record.type === RECORD_TYPES[type]).map(
    (record) => record.data,
  );
}
