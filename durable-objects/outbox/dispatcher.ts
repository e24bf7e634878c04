import type { Webhook } from "../../src/domain/webhooks/webhook.ts";
import { deliveriesAMinute, isDown, MOST_FAILING_MS } from "../../src/domain/webhooks/delivery.ts";
import { type Attempted, type Target, attempt } from "./attempt.ts";
import { EndpointRun, isOld, type RunOptions } from "./endpoint-run.ts";
import { type Task, workDueMs } from "./next-work.ts";
import type { Outbox } from "./outbox.ts";
import type { Message } from "./sign-delivery.ts";

import { type ResolveHost, resolveOverHttps } from "../../src/io/resolve-host.ts";

// Delivers what is due. Each endpoint that has work has a run of its own (`endpoint-run.ts`), so that
// none waits for another's, but for a connection. A delivery in flight when the object dies was not
// written down: it is sent again, under the same `webhook-id`.

/** After an event, so that those of one moment go out in one batch. */
export const GATHER_MS = 100;

/** When somebody must look whether runs still run: the object may have died. */
const WATCH_MS = 20_000;

/** After a run that threw, which storage alone makes it do, or was denied its requests. */
const PAUSE_MS = 30_000;

/** An endpoint that took longer than this is a slow one, until it does not. */
const SLOW_MS = 2000;

/** Connections that an object has at once: more would wait at the platform, in no order of ours. */
const MOST_CONNECTIONS = 6;

/** To endpoints that are down or slow. */
const MOST_SLOW = 3;

/** To these and to new ones together: the others are left for endpoints that answered at once. */
const MOST_UNPROVEN = 4;

export interface DispatcherOptions {
  /** One transaction of the object, at its time. */
  readonly transact: (work: (nowMs: number) => void) => void;
  readonly wallMs: () => number;
  readonly attempt: (target: Target, message: Message) => Promise<Attempted>;
  /** At least 0, less than 1: jitter. */
  readonly random: () => number;
  /** Attempts to one endpoint in any rolling minute; absent: as to the platform's. */
  readonly mostAMinute?: () => number;
  /** Rings once after a time; what it returns takes it back. */
  readonly timer: RunOptions["timer"];
  /** A run has ended: something else may be due next. */
  readonly onRest: () => void;
  readonly report: (error: unknown) => void;
}

export class Dispatcher {
  readonly #outbox: Outbox;
  readonly #options: DispatcherOptions;
  readonly #connections = new Connections();
  readonly #runs = new Map<string, { readonly run: EndpointRun; readonly ended: Promise<void> }>();
  /** How soon each endpoint answered last. */
  readonly #paces = new Map<string, Pace>();
  readonly #probed = new Map<string, number>();
  readonly #troubled = new Map<string, number>();
  #timer: { readonly atMs: number; readonly cancel: () => void } | null = null;
  #pausedUntilMs = 0;

  constructor(outbox: Outbox, options: DispatcherOptions) {
    this.#outbox = outbox;
    this.#options = options;
  }

  /** Whether it is delivering. */
  get isBusy(): boolean {
    return this.#runs.size > 0;
  }

  /** Begins with every endpoint that has work due and is not being served. */
  wake(): void {
    const nowMs = this.#options.wallMs();
    if (nowMs < this.#pausedUntilMs) return;
    for (const webhook of this.#outbox.webhooks.all()) {
      const running = this.#runs.get(webhook.id);
      if (running !== undefined) {
        running.run.poke();
        continue;
      }
      const dueMs = this.#workDueMs(webhook);
      if (dueMs !== null && dueMs <= nowMs) this.#begin(webhook.id);
    }
    this.#setTimer();
  }

  /** Resolves when nothing is being delivered. */
  async rest(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- until none has begun meanwhile
    while (this.isBusy) await Promise.all([...this.#runs.values()].map(({ ended }) => ended));
  }

  /** When `wake` is needed next; null: not before something happens. */
  nextDueMs(): number | null {
    const nowMs = this.#options.wallMs();
    const idleMs = this.#idleDueMs();
    if (!this.isBusy) return idleMs;
    return Math.min(idleMs ?? Infinity, nowMs + WATCH_MS);
  }

  /** When an endpoint without a run has work. */
  #idleDueMs(): number | null {
    const nowMs = this.#options.wallMs();
    const due = this.#outbox.webhooks.all().map((webhook) => {
      const dueMs = this.#runs.has(webhook.id) ? null : this.#workDueMs(webhook);
      return dueMs === null ? null : Math.max(dueMs, nowMs + GATHER_MS, this.#pausedUntilMs);
    });
    const known = due.filter((dueMs) => dueMs !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  /**
   * While something is being delivered the object's alarm waits for it, and rings for nothing else: what
   * becomes due at another endpoint meanwhile has a timer.
   */
  #setTimer(): void {
    const dueMs = this.isBusy ? this.#idleDueMs() : null;
    if (dueMs !== null && this.#timer !== null && this.#timer.atMs <= dueMs) return;
    this.#timer?.cancel();
    this.#timer = null;
    // The alarm has ended by then.
    const afterMs = (dueMs ?? Infinity) - this.#options.wallMs();
    if (dueMs === null || afterMs > 2 * WATCH_MS) return;
    const cancel = this.#options.timer(afterMs, () => {
      this.#timer = null;
      if (this.isBusy) this.wake();
    });
    this.#timer = { atMs: dueMs, cancel };
  }

  /**
   * A delivery outside the schedule, which tests an endpoint. It takes its turn like any other, and
   * is not made where the minute's are.
   */
  async try(webhook: Webhook, task: Task): Promise<Attempted> {
    const nowMs = this.#options.wallMs();
    if (this.#outbox.webhooks.room(webhook, this.#mostAMinute(), nowMs) <= 0) {
      return { kind: "not_made" };
    }
    return this.#attempt(webhook, task, () => undefined);
  }

  #mostAMinute(): number {
    return this.#options.mostAMinute?.() ?? deliveriesAMinute();
  }

  #workDueMs(webhook: Webhook): number | null {
    const { enabled, failingSinceMs } = webhook;
    const { webhooks } = this.#outbox;
    const nowMs = this.#options.wallMs();
    const limit = this.#mostAMinute();
    const readyMs = workDueMs(this.#outbox, webhook, {
      nowMs,
      probedMs: this.#probed.get(webhook.id) ?? 0,
      oldRoomAtMs: webhooks.oldRoomAtMs(webhook, limit, nowMs),
    });
    const roomMs = webhooks.roomAtMs(webhook, limit, nowMs);
    // Without a limit in the way it is as it was: what is due at once says 0.
    const workMs = readyMs === null || roomMs <= nowMs ? readyMs : Math.max(readyMs, roomMs);
    const endMs = enabled && failingSinceMs !== null ? failingSinceMs + MOST_FAILING_MS : null;
    return workMs === null || endMs === null ? (workMs ?? endMs) : Math.min(workMs, endMs);
  }

  #begin(id: string): void {
    const { transact, wallMs, random, timer } = this.#options;
    const run = new EndpointRun(id, {
      outbox: this.#outbox,
      transact: (work) => {
        transact(work);
        this.#setTimer();
      },
      wallMs,
      random,
      timer,
      mostAMinute: () => this.#mostAMinute(),
      paceOf: (webhook) => this.#paceOf(webhook),
      attempt: (webhook, task, begun) => this.#attempt(webhook, task, begun),
      probed: this.#probed,
      troubled: this.#troubled,
      dueMs: (webhook) => this.#workDueMs(webhook),
    });
    this.#runs.set(id, { run, ended: this.#serve(id, run) });
  }

  async #serve(id: string, run: EndpointRun): Promise<void> {
    // Not before it is among those that run.
    await Promise.resolve();
    try {
      if ((await run.run()) === "denied") this.#pausedUntilMs = this.#options.wallMs() + PAUSE_MS;
    } catch (error) {
      this.#pausedUntilMs = this.#options.wallMs() + PAUSE_MS;
      this.#options.report(error);
    } finally {
      this.#runs.delete(id);
      this.#setTimer();
      this.#options.onRest();
    }
  }

  #paceOf(webhook: Webhook): Pace {
    return isDown(webhook, webhook) ? "slow" : (this.#paces.get(webhook.id) ?? "new");
  }

  #attempt(webhook: Webhook, task: Task, begun: () => void): Promise<Attempted> {
    const { wallMs } = this.#options;
    const { event } = task;
    const object = event === null ? null : this.#outbox.objectOf(event, webhook);
    if (object === null) {
      begun();
      const gone = { atMs: wallMs(), status: null, error: "object_gone", latencyMs: 0 } as const;
      return Promise.resolve({
        kind: "attempted",
        attempt: { ...gone, reply: null },
        notBeforeMs: null,
        control: null,
      });
    }
    return this.#connections.use(this.#paceOf(webhook), async () => {
      begun();
      this.#outbox.webhooks.countSent(webhook, wallMs(), isOld(task));
      const { secret, oldSecret, url } = webhook;
      const isOverlap = oldSecret !== null && oldSecret.untilMs > wallMs();
      const secrets = isOverlap ? [secret, oldSecret.secret] : [secret];
      const message = { id: object.id, body: JSON.stringify(object) };
      const attempted = await this.#options.attempt({ url, secrets }, message);
      if (attempted.kind === "attempted") {
        const isSlow = attempted.attempt.latencyMs > SLOW_MS;
        this.#paces.set(webhook.id, isSlow ? "slow" : "quick");
      }
      return attempted;
    });
  }
}

/** How soon an endpoint answers: `quick`: its last answer was quick; `new`: nothing is known. */
type Pace = "quick" | "new" | "slow";

interface Waiting {
  readonly pace: Pace;
  readonly begin: () => void;
}

/**
 * The connections of an object. Those to endpoints that fail or are slow, and to those of which nothing is
 * known yet, are bounded, so that hosts that hang leave room for the others.
 */
class Connections {
  readonly #used = { quick: 0, new: 0, slow: 0 };
  #waiting: Waiting[] = [];

  /** Runs when there is room: first come, first served, among those alike. */
  async use<Result>(pace: Pace, work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((begin) => {
      this.#waiting.push({ pace, begin });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#used[pace] -= 1;
      this.#admit();
    }
  }

  #hasRoom(pace: Pace): boolean {
    const { quick, new: fresh, slow } = this.#used;
    if (quick + fresh + slow >= MOST_CONNECTIONS) return false;
    if (pace === "quick") return true;
    return fresh + slow < MOST_UNPROVEN && (pace === "new" || slow < MOST_SLOW);
  }

  #admit(): void {
    for (;;) {
      const at = this.#waiting.findIndex(({ pace }) => this.#hasRoom(pace));
      const [next] = at === -1 ? [] : this.#waiting.splice(at, 1);
      if (next === undefined) return;
      this.#used[next.pace] += 1;
      next.begin();
    }
  }
}

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
