import type { Failure } from "../domain/ledger/failure.ts";
import type { BodyBudget } from "../io/body-budget.ts";
import { INVALID_KEY } from "./authenticate.ts";
import type { Caller, KeyCaller } from "./call.ts";
import type { Intake } from "./intake.ts";
import { parseBody, type ParsedBody } from "./parse-call.ts";
import type { BodySpec, Outcome, Route } from "./route.ts";

// A request's body from begin to end: it takes memory of the isolate, it is read if it may be, and its
// memory is given back.

/** A request with a large body, and its caller. */
export interface LargeRequest {
  readonly request: Request;
  readonly env: Env;
  readonly requestId: string;
  readonly caller: KeyCaller;
  readonly route: Route;
}

/** Null: the body may be read. `key_ended`: the key has ended and will never be valid again. */
export type MayRead = (
  large: LargeRequest,
) => Promise<Failure | { readonly kind: "key_ended" } | null>;

/** The parts that all requests of an isolate share. */
export interface BodyDeps {
  readonly bodies: BodyBudget;
  readonly endedKeys: EndedKeys;
  readonly mayRead: MayRead;
}

interface BodyRequest extends Omit<LargeRequest, "caller"> {
  readonly caller: Caller | null;
  readonly ctx: ExecutionContext;
  readonly spec: BodySpec;
}

/** A stream may last ten minutes, and is settled at most half a minute after that. */
const STREAM_ALIVE_MS = 720_000;

/**
 * Reads the body and handles the call. The body's memory is given back when the call is over, also when
 * the client leaves, since the work goes on. The platform cuts work that goes on for too long after that,
 * so the budget also frees the memory of requests without activity.
 */
export function withBody(
  of: BodyRequest,
  deps: BodyDeps,
  handle: (body: ParsedBody) => Promise<Outcome>,
): Promise<Outcome> {
  const claim = deps.bodies.open(ownerOf(of.caller));
  const intake: Intake = { claim, mayReadOn: once(() => mayReadOn(of, deps)) };
  const work = async (): Promise<Outcome> => {
    let running: Promise<void> | undefined;
    try {
      const body = await parseBody(of.spec, of.request, intake);
      const outcome = body.kind === "parsed" ? await handle(body.value) : body;
      if (outcome.kind === "raw") running = outcome.running;
      return outcome;
    } finally {
      if (running === undefined) claim.release();
      else {
        claim.stayAlive(STREAM_ALIVE_MS);
        of.ctx.waitUntil(running.finally(() => claim.release()));
      }
    }
  };
  const outcome = work();
  of.ctx.waitUntil(outcome.catch(() => undefined));
  return outcome;
}

/** The bodies of a tenant share an owner; those of the platform too. */
const ownerOf = (caller: Caller | null): string =>
  caller?.kind === "key" ? `tenant ${caller.tenant}` : "platform";

/** The platform's own token needs no further check. */
async function mayReadOn(of: BodyRequest, deps: BodyDeps): Promise<Failure | null> {
  const { caller } = of;
  if (caller?.kind !== "key") return null;
  const answer = await deps.mayRead({ ...of, caller });
  if (answer?.kind !== "key_ended") return answer;
  deps.endedKeys.add(caller.secretHash);
  return INVALID_KEY;
}

function once<Result>(ask: () => Promise<Result>): () => Promise<Result> {
  let answer: Promise<Result> | null = null;
  return () => (answer ??= ask());
}

// Keys that have ended or expired. That never changes, so further large bodies with such a key are
// refused here without a call to its tenant's object. Other reasons to refuse a key may change, and are
// not remembered.

/** A hash and its place take about 150 bytes. */
const MOST = 4096;

export class EndedKeys {
  readonly #hashes = new Set<string>();

  has(secretHash: string): boolean {
    return this.#hashes.has(secretHash);
  }

  /** The oldest entry makes room. */
  add(secretHash: string): void {
    const [first] = this.#hashes;
    if (this.#hashes.size >= MOST && first !== undefined) this.#hashes.delete(first);
    this.#hashes.add(secretHash);
  }
}
