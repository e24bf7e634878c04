import { backOffMs, wait } from "./back-off.ts";
import { RequestFailed, toFailure, unanswered } from "./problem.ts";

// Requests to our own server. Each has a deadline and is repeated where that is safe. The session ends
// when the server no longer knows the key.

const TIMEOUT_MS = 20_000;

/** A read is tried three times at most. A `Retry-After` of the server counts up to LONGEST_WAIT_S. */
const READ_TRIES = 3;
const LONGEST_WAIT_S = 5;

export type Query = Readonly<Record<string, string | number | null | undefined>>;

export interface Sending {
  readonly signal?: AbortSignal;
  /** Sends an idempotency key, so that a request that got no answer can be sent again. */
  readonly once?: boolean;
  readonly ifMatch?: number;
  readonly timeoutMs?: number;
  /** A token to use instead of the session's. */
  readonly token?: string;
}

export interface Api {
  get<T>(path: string, query?: Query, sending?: Sending): Promise<T>;
  send<T>(
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
    sending?: Sending,
  ): Promise<T>;
  /** Resolves with the response as soon as its headers are there, for streams and files. */
  raw(
    method: string,
    path: string,
    init?: Sending & { readonly body?: unknown; readonly accept?: string },
  ): Promise<Response>;
}

export interface ApiOptions {
  /** Null: Cloudflare Access, in front of the server, identifies the person. */
  readonly token: () => string | null;
  /** The session's token was refused. */
  readonly refused: () => void;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  readonly pause?: typeof wait;
}

export function createApi({ token, refused, pause = wait, ...options }: ApiOptions): Api {
  const send = options.fetch ?? ((url, init) => fetch(url, init));

  async function attempt(path: string, init: RequestInit, sending: Sending): Promise<Response> {
    const deadline = AbortSignal.timeout(sending.timeoutMs ?? TIMEOUT_MS);
    const signal = sending.signal ? AbortSignal.any([sending.signal, deadline]) : deadline;
    let response: Response;
    try {
      response = await send(path, { ...init, signal });
    } catch (error) {
      if (sending.signal?.aborted === true) throw error;
      throw unanswered(deadline.aborted ? "timeout" : "network");
    }
    if (response.ok) return response;
    const failure = await toFailure(response);
    // A 401 for another token says nothing about the session's own.
    if (response.status === 401 && sending.token === undefined) refused();
    throw failure;
  }

  async function repeated(
    path: string,
    init: RequestInit,
    sending: Sending,
    { tries, only }: { tries: number; only: (failure: RequestFailed) => boolean },
  ): Promise<Response> {
    for (let n = 1; ; n += 1) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one try after the other
        return await attempt(path, init, sending);
      } catch (error) {
        const again = error instanceof RequestFailed && only(error) && n < tries;
        if (!again) throw error;
        const asked = Math.min(error.retryAfterS ?? 0, LONGEST_WAIT_S) * 1000;
        // oxlint-disable-next-line no-await-in-loop -- a pause between tries
        await pause(Math.max(asked, backOffMs(n)), sending.signal);
      }
    }
  }

  const headers = (sending: Sending, extra: Record<string, string>): Record<string, string> => ({
    ...bearer(sending.token ?? token()),
    ...extra,
    ...(sending.ifMatch !== undefined && { "If-Match": `"${sending.ifMatch}"` }),
    ...(sending.once === true && { "Idempotency-Key": `"${newIdempotencyKey()}"` }),
  });

  return {
    async get<T>(path: string, query: Query = {}, sending: Sending = {}) {
      const init = { headers: headers(sending, { Accept: "application/json" }) };
      const response = await repeated(path + queryText(query), init, sending, {
        tries: READ_TRIES,
        only: ({ mayRepeat }) => mayRepeat,
      });
      return (await response.json()) as T;
    },
    async send<T>(method: string, path: string, body?: unknown, sending: Sending = {}) {
      const init: RequestInit = {
        method,
        headers: headers(sending, { "Content-Type": "application/json" }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      };
      const response = await repeated(path, init, sending, {
        tries: sending.once === true ? 2 : 1,
        only: ({ problem }) => problem.kind === "network",
      });
      return (response.status === 204 ? null : await response.json()) as T;
    },
    raw(method, path, { body, accept = "*/*", ...sending } = {}) {
      const init: RequestInit = {
        method,
        headers: headers(sending, {
          Accept: accept,
          ...(body !== undefined && { "Content-Type": "application/json" }),
        }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      };
      return attempt(path, init, sending);
    },
  };
}

const bearer = (token: string | null): Record<string, string> =>
  token === null || token === "" ? {} : { Authorization: `Bearer ${token}` };

/** The fields that have a value, as `?from=2026-11-20&limit=50`. */
export function queryText(query: Query): string {
  const given = Object.entries(query).filter(
    (entry): entry is [string, string | number] =>
      entry[1] !== null && entry[1] !== undefined && entry[1] !== "",
  );
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
}

/** A page that was loaded over plain http from another machine has no `crypto.randomUUID`. */
const newIdempotencyKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
