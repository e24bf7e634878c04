import { piecesOf } from "../io/read-at-most.ts";
import type { Failure } from "../domain/ledger/failure.ts";
import type { BodyClaim } from "../io/body-budget.ts";

// The conditions for reading a body, and how a refused body is read and thrown away.

/**
 * More than this is read only after the tenant's object has allowed the call. Most calls are smaller and
 * skip that step.
 */
export const LARGE_BODY_BYTES = 65_536;

/** What is needed to read one request's body. */
export interface Intake {
  readonly claim: BodyClaim;
  /** Called before more of a large body is read; null: it may be read. The first answer counts. */
  readonly mayReadOn: () => Promise<Failure | null>;
}

/** There is no room for the body, or it gives way to others. */
export const NO_ROOM = { kind: "unavailable", reason: "bodies" } as const;

/**
 * The body of a refused call is read all the same and thrown away, up to twice its limit. A server that
 * answers and closes with much unread resets the connection, and a client that is still writing sees a
 * broken pipe and not the refusal. This takes no memory, and only for a valid key: for any other key
 * nothing is read beyond a small body. (Cloudflare's edge takes bodies in itself.)
 */
const DRAINED_LIMITS = 2;

/** A slower sender does not get the refusal. */
const DRAIN_MS = 30_000;

/** @param mayGoOn called when more than a small body has arrived; false: no more is read */
async function drain(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  mostBytes: number,
  mayGoOn: () => Promise<boolean>,
): Promise<void> {
  const pieces = piecesOf(body);
  const cancel = (): void => void pieces.cancel();
  const timer = setTimeout(cancel, DRAIN_MS);
  let receivedBytes = 0;
  let isLarge = false;
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one piece after the other
      const { done, value } = await pieces.next();
      if (done) break;
      receivedBytes += value.byteLength;
      if (receivedBytes > mostBytes) break;
      if (isLarge || receivedBytes <= LARGE_BODY_BYTES) continue;
      isLarge = true;
      // oxlint-disable-next-line no-await-in-loop -- once
      if (!(await mayGoOn())) break;
    }
  } catch {
    // The sender has left: nobody waits for an answer.
  } finally {
    clearTimeout(timer);
    cancel();
  }
}

/** The announced length of a body; NaN where there is none. */
export const announcedLength = ({ headers }: Request): number =>
  Number(headers.get("content-length") ?? Number.NaN);

/** Throws the body away, then gives `because`, or the tenant object's own refusal. */
export async function throwAway(
  request: Request,
  limitBytes: number,
  { intake, because }: { readonly intake: Intake; readonly because: Failure },
): Promise<Failure> {
  const { body } = request;
  if (!isOfLiveKey(because)) return because;
  const length = announcedLength(request);
  const most = DRAINED_LIMITS * limitBytes;
  let refusal: Failure | null = null;
  const mayGoOn = async (): Promise<boolean> => {
    refusal = await intake.mayReadOn();
    return refusal === null || isOfLiveKey(refusal);
  };
  const isWorthIt = !(length > LARGE_BODY_BYTES) || (await mayGoOn());
  const isReadable = body !== null && !body.locked;
  if (isReadable && isWorthIt && !(length > most)) await drain(body, most, mayGoOn);
  return refusal ?? because;
}

/** Only the object knows which keys are valid; a key of a suspended tenant is not accepted either. */
const isOfLiveKey = ({ kind }: Failure): boolean =>
  kind !== "invalid_key" && kind !== "tenant_suspended";

const WATCH_MS = 1000;

/** The checks that a body must pass while it is read. */
export interface BodyGuard {
  /** Why the body was given up; null: it was not. */
  readonly refusal: Failure | null;
  /** Fires when the body is given up because it is slow. */
  readonly signal: AbortSignal;
  readonly mayBegin: () => Promise<boolean>;
  /** For `readAtMost`. */
  readonly mayTake: (receivedBytes: number, bufferBytes: number) => boolean | Promise<boolean>;
  readonly stop: () => void;
}

/**
 * A body that is announced as large gets all its room, and permission, before any of it is read. Any
 * other body holds the bytes that have arrived, and needs permission when it becomes large.
 *
 * @param length as announced; NaN: it was not announced
 */
export function bodyGuard({ claim, mayReadOn }: Intake, length: number): BodyGuard {
  const controller = new AbortController();
  let refusal: Failure | null = null;
  let timer: ReturnType<typeof setInterval> | null = null;
  let isAllowed = false;
  const refuse = (why: Failure): false => {
    refusal = why;
    return false;
  };
  const watch = (): void => {
    timer ??= setInterval(() => {
      if (!claim.mustGiveWay) return;
      refuse(NO_ROOM);
      controller.abort();
    }, WATCH_MS);
  };
  const hasRoom = (bytes: number): true | Promise<boolean> => {
    const held = claim.hold(bytes);
    return held === true || Promise.resolve(held).then((is) => is || refuse(NO_ROOM));
  };
  const isPermitted = async (): Promise<boolean> => {
    const why = isAllowed ? null : await mayReadOn();
    isAllowed = why === null;
    return why === null || refuse(why);
  };
  return {
    get refusal() {
      return refusal;
    },
    signal: controller.signal,
    mayBegin: async () => {
      if (!(length > LARGE_BODY_BYTES)) return true;
      if (!(await isPermitted()) || !(await hasRoom(length))) return false;
      watch();
      return true;
    },
    mayTake: (receivedBytes, bufferBytes) => {
      claim.came(receivedBytes);
      if (receivedBytes !== length) watch();
      // The buffer of a small body may be twice as large; that is not counted as large.
      if (receivedBytes <= LARGE_BODY_BYTES) return hasRoom(receivedBytes);
      const bytes = Math.max(receivedBytes, bufferBytes);
      return isAllowed ? hasRoom(bytes) : isPermitted().then((is) => is && hasRoom(bytes));
    },
    stop: () => {
      if (timer !== null) clearInterval(timer);
    },
  };
}
