import { piecesOf } from "../io/body-pieces.ts";
import type { Failure } from "../domain/ledger/failure.ts";
import type { BodyClaim } from "../io/body-budget.ts";

// What a body must have before it is read, and what becomes of one that is refused.

/**
 * More than this is read only when the tenant's object has said that the call may come: most calls
 * are smaller, and pay nothing for it.
 */
export const LARGE_BODY_BYTES = 65_536;

/** What reading one request's body depends on. */
export interface Intake {
  readonly claim: BodyClaim;
  /** Asked before a large body is read on; null: it may be. The first answer holds. */
  readonly mayReadOn: () => Promise<Failure | null>;
}

/** There is no room for it, or it gives way. */
export const NO_ROOM = { kind: "unavailable", reason: "bodies" } as const;

/**
 * The body of a refused call is read all the same and thrown away, up to twice its limit: a server that
 * answers and closes with much unread resets the connection, and a client that is still writing sees
 * a broken pipe and not the refusal. That takes no memory, and only a key that lives can ask for it:
 * of any other key nothing is read beyond what is small. (Cloudflare's edge takes bodies in itself.)
 */
const DRAINED_LIMITS = 2;

/** Whoever sends more slowly does not hear why. */
const DRAIN_MS = 30_000;

/** @param mayGoOn asked when more than a small body has come; false: no more is read */
async function drain(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  mostBytes: number,
  mayGoOn: () => Promise<boolean>,
): Promise<void> {
  const pieces = piecesOf(body);
  const cancel = (): void => void pieces.cancel();
  const timer = setTimeout(cancel, DRAIN_MS);
  let comeBytes = 0;
  let isLarge = false;
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one piece after the other
      const { done, value } = await pieces.next();
      if (done) break;
      comeBytes += value.byteLength;
      if (comeBytes > mostBytes) break;
      if (isLarge || comeBytes <= LARGE_BODY_BYTES) continue;
      isLarge = true;
      // oxlint-disable-next-line no-await-in-loop -- once
      if (!(await mayGoOn())) break;
    }
  } catch {
    // The sender went away: nobody waits for an answer.
  } finally {
    clearTimeout(timer);
    cancel();
  }
}

/** The length that a body is announced to have; NaN where none was. */
export const announcedLength = ({ headers }: Request): number =>
  Number(headers.get("content-length") ?? Number.NaN);

/** Answers `because`, once the body was thrown away. */
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

/** Only the object knows which keys live; those of a suspended tenant open nothing either. */
const isOfLiveKey = ({ kind }: Failure): boolean =>
  kind !== "invalid_key" && kind !== "tenant_suspended";

const WATCH_MS = 1000;

/** What a body that is being read must pass. */
export interface BodyGuard {
  /** Why the body was given up; null: it was not. */
  readonly refusal: Failure | null;
  /** Fires when it is given up because it comes slowly. */
  readonly signal: AbortSignal;
  readonly mayBegin: () => Promise<boolean>;
  /** As `readAtMost` asks. */
  readonly mayTake: (comeBytes: number, bufferBytes: number) => boolean | Promise<boolean>;
  readonly stop: () => void;
}

/**
 * A body that is announced as large has all its room, and its permission, before any of it is read.
 * Of any other length it holds what has come, and asks when that becomes large.
 *
 * @param length as announced; NaN: it was not
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
    mayTake: (comeBytes, bufferBytes) => {
      claim.came(comeBytes);
      if (comeBytes !== length) watch();
      // The buffer of a small body may be twice as large; that is not counted as large.
      if (comeBytes <= LARGE_BODY_BYTES) return hasRoom(comeBytes);
      const bytes = Math.max(comeBytes, bufferBytes);
      return isAllowed ? hasRoom(bytes) : isPermitted().then((is) => is && hasRoom(bytes));
    },
    stop: () => {
      if (timer !== null) clearInterval(timer);
    },
  };
}
