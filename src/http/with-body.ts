import type { Failure } from "../domain/ledger/failure.ts";
import type { BodyBudget } from "../io/body-budget.ts";
import { INVALID_KEY } from "./authenticate.ts";
import type { Caller, KeyCaller } from "./call.ts";
import type { EndedKeys } from "./ended-keys.ts";
import type { Intake } from "./intake.ts";
import { parseBody, type ParsedBody } from "./parse-call.ts";
import type { BodySpec, Outcome, Route } from "./route.ts";

// The life of a request's body: what it holds of the isolate's memory, whether it may be read, and
// that what it held is given back.

/** A request with a large body, and whose it is. */
export interface LargeRequest {
  readonly request: Request;
  readonly env: Env;
  readonly requestId: string;
  readonly caller: KeyCaller;
  readonly route: Route;
}

/** Null: the body may be read. `key_ended`: it was a key, and never will be one again. */
export type MayRead = (
  large: LargeRequest,
) => Promise<Failure | { readonly kind: "key_ended" } | null>;

/** What all requests of an isolate share. */
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

/** A stream may last ten minutes, and is settled half a minute after that at the latest. */
const STREAM_ALIVE_MS = 720_000;

/**
 * Reads the body, and answers by it. It is given back when its call is over. That is so also when the
 * client leaves, since the work goes on; and the platform cuts what goes on for too long after that, so
 * the budget forgets what gives no sign of life.
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

/** A tenant's bodies wait for one another; the platform's are one more owner. */
const ownerOf = (caller: Caller | null): string =>
  caller?.kind === "key" ? `tenant ${caller.tenant}` : "platform";

/** Whoever holds the platform's own token has shown all there is to ask for. */
async function mayReadOn(of: BodyRequest, deps: BodyDeps): Promise<Failure | null> {
  const { caller } = of;
  if (caller?.kind !== "key") return null;
  const answer = await deps.mayRead({ ...of, caller });
  if (answer?.kind !== "key_ended") return answer;
  deps.endedKeys.add(caller.secretHash);
  return INVALID_KEY;
}

function once<Result>(ask: () => Promise<Result>): () => Promise<Result> {
  let asked: Promise<Result> | null = null;
  return () => (asked ??= ask());
}
