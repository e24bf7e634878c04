import type { Attempt } from "../../src/domain/webhooks/delivery.ts";
import {
  type DeliveryControl,
  deliveryControl,
  MOST_REPLY_BYTES,
  pauseUntilMs,
} from "../../src/domain/webhooks/delivery.ts";
import { isPublicAddress } from "../../src/io/public-address.ts";
import { checkPublicUrl } from "../../src/io/public-url.ts";
import type { ResolveHost } from "../../src/io/resolve-host.ts";
import { untilAborted } from "../../src/io/until-aborted.ts";
import { type Message, signatureHeaders } from "./sign-delivery.ts";

// One attempt to deliver. The request goes to a stranger's host, so its URL is judged anew and its name
// must lead to public addresses (what that does not stop, `picture-sources.ts` says); redirects are not
// followed, and of the reply its status and the first kilobyte that comes soon are read: no size and no
// slowness of a body can take anything.

export interface AttemptOptions {
  readonly fetch: typeof globalThis.fetch;
  /** Null: any host, over http too, which only a developer's own machine may allow. */
  readonly resolve: ResolveHost | null;
  readonly wallMs: () => number;
  /** Covers everything: resolving, connecting, the answer's headers. */
  readonly timeoutMs: number;
  /** What has come of the reply's body after so long is what is kept of it. */
  readonly bodyMs: number;
}

export interface Target {
  readonly url: string;
  /** Each signs. */
  readonly secrets: readonly string[];
}

export type Attempted =
  | {
      readonly kind: "attempted";
      readonly attempt: Attempt;
      readonly notBeforeMs: number | null;
      readonly control: DeliveryControl | null;
    }
  /** The platform let us make no connection: that tells nothing of the endpoint. */
  | { readonly kind: "not_made" };

/** How the runtime says that this invocation has made all the requests that it may. */
const OUT_OF_REQUESTS = /too many subrequests/i;

export async function attempt(
  target: Target,
  message: Message,
  options: AttemptOptions,
): Promise<Attempted> {
  const startedMs = options.wallMs();
  const ended = (fields: Pick<Attempt, "status" | "error">) => {
    const latencyMs = Math.max(0, options.wallMs() - startedMs);
    return {
      kind: "attempted" as const,
      attempt: { atMs: startedMs, latencyMs, reply: null, ...fields },
      notBeforeMs: null,
      control: null,
    };
  };
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), options.timeoutMs);
  try {
    const forbidden = await untilAborted(end.signal, forbiddenOf(target, options, end.signal));
    if (forbidden !== null) return ended({ status: null, error: forbidden });
    const response = await untilAborted(end.signal, post(target, message, options, end.signal));
    const { status, headers } = response;
    const notBeforeMs = pauseUntilMs(status, headers.get("retry-after"), options.wallMs());
    const control = deliveryControl(headers.get("webhook-delivery"));
    const { attempt: made } = ended({ status, error: errorOf(status, control) });
    const reply = await beginningOf(response, options.bodyMs);
    return { kind: "attempted", attempt: { ...made, reply }, notBeforeMs, control };
  } catch (error) {
    if (end.signal.aborted) return ended({ status: null, error: "timeout" });
    if (error instanceof Error && OUT_OF_REQUESTS.test(error.message)) return { kind: "not_made" };
    return ended({ status: null, error: "connection_failed" });
  } finally {
    clearTimeout(timer);
    // Closes the connection, whatever was left unread on it.
    end.abort();
  }
}

function errorOf(status: number, control: DeliveryControl | null): Attempt["error"] {
  if (status >= 200 && status <= 299) return null;
  if (control === "abort-message") return "aborted";
  return status >= 300 && status <= 399 ? "redirect" : "http_status";
}

/** Null: the request is allowed. */
async function forbiddenOf(
  { url }: Target,
  { resolve }: AttemptOptions,
  signal: AbortSignal,
): Promise<Attempt["error"]> {
  if (resolve === null) return null;
  const checked = checkPublicUrl(url);
  if (checked.kind === "refused") return "private_address";
  const addresses = await resolve(checked.url.hostname, signal).catch((error: unknown) => {
    if (error instanceof Error && OUT_OF_REQUESTS.test(error.message)) throw error;
    return [];
  });
  if (addresses.length === 0) return signal.aborted ? "timeout" : "unknown_host";
  // Any of them may be the one that is connected to.
  return addresses.every(isPublicAddress) ? null : "private_address";
}

async function post(
  { url, secrets }: Target,
  message: Message,
  { fetch, wallMs }: AttemptOptions,
  signal: AbortSignal,
): Promise<Response> {
  const signature = await signatureHeaders(message, secrets, wallMs());
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": "neurogate", ...signature },
    body: message.body,
    redirect: "manual",
    signal,
  });
}

/** As much of the body as is kept and comes soon; null: nothing. It never fails, and hangs up. */
async function beginningOf({ body }: Response, bodyMs: number): Promise<string | null> {
  if (body === null) return null;
  const reader = body.getReader();
  const kept = new Uint8Array(MOST_REPLY_BYTES);
  let length = 0;
  const late = setTimeout(() => void reader.cancel().catch(() => undefined), bodyMs);
  try {
    while (length < MOST_REPLY_BYTES) {
      // oxlint-disable-next-line no-await-in-loop -- one piece after the other
      const { done, value } = await reader.read();
      if (done) break;
      const piece = value.subarray(0, MOST_REPLY_BYTES - length);
      kept.set(piece, length);
      length += piece.length;
    }
  } catch {
    // The part that came before it broke is kept.
  } finally {
    clearTimeout(late);
    void reader.cancel().catch(() => undefined);
  }
  return length === 0 ? null : new TextDecoder().decode(kept.subarray(0, length));
}
