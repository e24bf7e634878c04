import { type Attempt, isDown, isOutage } from "../../src/domain/webhooks/delivery.ts";
import type { Replay, Webhook } from "../../src/domain/webhooks/webhook.ts";
import type { Attempted } from "./attempt.ts";
import { type Moment, nextWork, type Task } from "./next-work.ts";
import type { Outbox } from "./outbox.ts";
import {
  disableFailing,
  GONE,
  isPastFailing,
  recordBegun,
  recordResults,
  type Result,
} from "./record-results.ts";

// Delivers to one endpoint until nothing is due: takes what is due, tries it in a few lanes, writes down
// what became of it. A lane whose receiver hangs keeps no other lane waiting, so what follows is taken
// before it is done: the cursor then stays behind it, and `ahead` says how far the others are.

/** Results are written down after so long, or after so many. */
const COMMIT_MS = 1000;
const COMMIT_AFTER = 16;

/** So many successes after a failure, and tries are not written down before they are made. */
const CALM_AFTER = 20;

/** How long a run with nothing else to do waits before it looks again. */
const LOOK_AGAIN_MS = 1000;

/** Attempts at once to an endpoint, by what is known of it; of these one is a retry or a replay at most. */
const LANES = { quick: 3, slow: 2, new: 1 } as const;

export interface RunOptions {
  readonly outbox: Outbox;
  readonly transact: (work: (nowMs: number) => void) => void;
  readonly wallMs: () => number;
  readonly random: () => number;
  readonly mostAMinute: () => number;
  /** Rings once after a time; what it returns takes it back. */
  readonly timer: (afterMs: number, ring: () => void) => () => void;
  readonly paceOf: (webhook: Webhook) => "quick" | "new" | "slow";
  /** One attempt, which begins when there is a connection. */
  readonly attempt: (webhook: Webhook, task: Task, begun: () => void) => Promise<Attempted>;
  /** When this endpoint was last probed, which outlives a run. */
  readonly probed: Map<string, number>;
  /** How many successes more until it counts as one that takes what it is sent; so does this. */
  readonly troubled: Map<string, number>;
  /** When something is due for it next; null: not before something happens. */
  readonly dueMs: (webhook: Webhook) => number | null;
}

interface Flight {
  readonly task: Task;
  isBegun: boolean;
}

export class EndpointRun {
  readonly #id: string;
  readonly #options: RunOptions;
  #queue: Task[] = [];
  readonly #flights = new Set<Flight>();
  #done: Result[] = [];
  #committedMs: number;
  /** Events up to this id are done, or on their way. */
  #reached = "";
  #replaying: Replaying | null = null;
  #isDenied = false;
  #isToBeThoughtOver = false;
  #failure: { readonly error: unknown } | null = null;
  #signal = Promise.withResolvers<void>();

  constructor(id: string, options: RunOptions) {
    this.#id = id;
    this.#options = options;
    this.#committedMs = options.wallMs();
  }

  /** Something may be due that was not. */
  poke(): void {
    this.#signal.resolve();
  }

  /** `denied`: the platform lets us make no request. */
  async run(): Promise<"rest" | "denied"> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      await Promise.resolve();
      this.#signal = Promise.withResolvers<void>();
      const webhook = this.#options.outbox.webhooks.find(this.#id);
      if (webhook === null) return "rest";
      if (this.#failure !== null) throw this.#failure.error;
      if (this.#isToBeThoughtOver) {
        this.#isToBeThoughtOver = false;
        this.#putBack();
        this.#commit();
        continue;
      }
      if (this.#isDenied || isPastFailing(webhook, this.#options.wallMs())) {
        this.#putBack();
        this.#commit();
        if (this.#isDenied) return "denied";
        this.#options.transact((nowMs) => disableFailing(this.#options.outbox, webhook, nowMs));
        return "rest";
      }
      if (this.#queue.length === 0 && !this.#plan(webhook)) {
        if (this.#flights.size === 0 && this.#done.length === 0) return "rest";
        if (this.#flights.size === 0) {
          this.#commit();
          continue;
        }
      }
      this.#launch(webhook);
      // oxlint-disable-next-line no-await-in-loop -- as above
      if (this.#flights.size > 0) await this.#somethingHappens(webhook);
      if (this.#isCommitDue()) this.#commit();
    }
  }

  /** Takes what is due; false: nothing is. */
  #plan(webhook: Webhook): boolean {
    const { outbox, wallMs, mostAMinute, probed, transact } = this.#options;
    if (this.#done.length >= COMMIT_AFTER || this.#flights.size === 0) this.#commit();
    const found = outbox.webhooks.find(webhook.id);
    if (found === null) return false;
    const moment = this.#moment(found);
    const work = nextWork(outbox, found, moment);
    if (work === null) return false;
    this.#queue = [...work.tasks];
    this.#reached = work.reached;
    const replayed = work.tasks.filter(({ from }) => from === "replay");
    if (found.replay !== null && !moment.isReplaying) {
      const isMoved = work.replay?.after !== found.replay.after || replayed.length > 0;
      if (isMoved) this.#replaying = { begin: found.replay, tasks: replayed, end: work.replay };
    }
    if (work.isProbe) probed.set(found.id, wallMs());
    if (work.tasks.length === 0) {
      this.#passOver(found);
      return outbox.events.last() > this.#reached || this.#replaying !== null;
    }
    // While much is left of the minute, what a crash forgets is of no consequence, and no row.
    if (moment.room - work.tasks.length < mostAMinute() / 2) {
      transact((nowMs) => outbox.webhooks.writeAhead(found, work.tasks.length, nowMs));
    }
    return true;
  }

  /** Nothing was wanted of what was looked at: a row is worth that only where there is more of it. */
  #passOver(webhook: Webhook): void {
    const { outbox } = this.#options;
    if (this.#open().length > 0) return;
    if (outbox.events.last() > this.#reached || this.#replaying !== null) this.#write();
    else outbox.webhooks.pass(webhook.id, this.#reached);
  }

  #moment(webhook: Webhook): Moment {
    const { outbox, wallMs, mostAMinute, probed } = this.#options;
    const nowMs = wallMs();
    const limit = mostAMinute();
    const waiting = [...this.#flights].filter(({ isBegun }) => !isBegun).length;
    const position = outbox.webhooks.position(webhook);
    const busy = [...this.#flights, ...this.#done].map(({ task }) => task.delivery.id);
    return {
      nowMs,
      room: outbox.webhooks.room(webhook, limit, nowMs) - waiting,
      oldRoom: outbox.webhooks.oldRoom(webhook, limit, nowMs),
      reached: position > this.#reached ? position : this.#reached,
      busy: new Set(busy),
      isReplaying: this.#replaying !== null,
      probedMs: probed.get(webhook.id) ?? 0,
    };
  }

  #launch(webhook: Webhook): void {
    // An endpoint that asked for time and has accepted nothing since gets one request.
    const isAlone = webhook.ordered || isDown(webhook, webhook) || webhook.notBeforeMs > 0;
    const most = isAlone ? 1 : LANES[this.#options.paceOf(webhook)];
    while (this.#flights.size < most) {
      const isOldFlying = [...this.#flights].some(({ task }) => isOld(task));
      const at = this.#queue.findIndex((task) => !isOld(task) || !isOldFlying);
      const [task] = at === -1 ? [] : this.#queue.splice(at, 1);
      if (task === undefined) return;
      void this.#fly(webhook, task);
    }
  }

  async #fly(webhook: Webhook, task: Task): Promise<void> {
    const flight: Flight = { task, isBegun: false };
    this.#flights.add(flight);
    try {
      const attempted = await this.#options.attempt(webhook, task, () => {
        flight.isBegun = true;
        this.#writeAhead(task);
      });
      if (attempted.kind === "attempted") {
        this.#noteTrouble(attempted.attempt);
        this.#done.push({ task, ...attempted });
        this.#isToBeThoughtOver ||= tellsOfTheEndpoint(webhook, attempted);
      } else this.#isDenied = true;
    } catch (error) {
      this.#failure = { error };
    }
    this.#flights.delete(flight);
    this.poke();
  }

  /**
   * Where tries fail, one that a crash forgets would be made once more than the schedule has it: it is
   * written down before it is made. Where they do not, that is worth no row.
   */
  #writeAhead(task: Task): void {
    const { outbox, transact, random } = this.#options;
    const isOnSchedule = task.from === "fresh" || task.from === "waiting";
    if (!isOnSchedule || this.#trouble() === 0) return;
    transact((nowMs) => recordBegun(outbox, task, { random, nowMs }));
  }

  #trouble(): number {
    const { outbox, troubled } = this.#options;
    const isWaiting = outbox.deliveries.pending(this.#id).count > 0;
    return troubled.get(this.#id) ?? (isWaiting ? CALM_AFTER : 0);
  }

  #noteTrouble({ error }: Pick<Attempt, "error">): void {
    if (error === "object_gone") return;
    const left = error === null ? Math.max(0, this.#trouble() - 1) : CALM_AFTER;
    this.#options.troubled.set(this.#id, left);
  }

  /** Tasks that were not begun are planned anew. */
  #putBack(): void {
    const [first] = this.#queue.filter(({ from }) => from === "fresh");
    if (first !== undefined) this.#reached = first.after;
    this.#replaying = this.#replaying && cutShort(this.#replaying, this.#queue);
    this.#queue = [];
  }

  async #somethingHappens(webhook: Webhook): Promise<void> {
    const { timer, wallMs, dueMs } = this.#options;
    const due = dueMs(webhook) ?? Infinity;
    const waitMs = this.#done.length > 0 ? COMMIT_MS : Math.max(LOOK_AGAIN_MS, due - wallMs());
    const { promise, resolve } = this.#signal;
    const cancel = Number.isFinite(waitMs) ? timer(waitMs, resolve) : () => undefined;
    await promise;
    cancel();
  }

  #isCommitDue(): boolean {
    if (this.#done.length === 0) return false;
    // A try that failed and was forgotten would be made once more than the schedule has it.
    if (this.#done.some(({ attempt }) => attempt.error !== null)) return true;
    return this.#flights.size === 0
      ? this.#queue.length === 0
      : this.#options.wallMs() - this.#committedMs >= COMMIT_MS;
  }

  #commit(): void {
    if (this.#done.length > 0) this.#write();
  }

  /** Ids of events after which the cursor cannot go: they are on their way, or still to be begun. */
  #open(): string[] {
    const tasks = [...[...this.#flights].map(({ task }) => task), ...this.#queue];
    return tasks.filter(({ from }) => from === "fresh").map(({ delivery }) => delivery.eventId);
  }

  #write(): void {
    const { outbox, transact, random, wallMs } = this.#options;
    const results = this.#done;
    const open = this.#open();
    const reached = this.#reached;
    const done = new Set(results.map(({ task }) => task));
    const replayed = this.#replaying && advanced(this.#replaying, done);
    const replay = replayed?.progress ?? null;
    this.#replaying = replayed?.left ?? null;
    this.#done = [];
    this.#committedMs = wallMs();
    transact((nowMs) =>
      recordResults(outbox, this.#id, { results, open, reached, replay, random, nowMs }),
    );
  }
}

/** Whether what is planned is to be thought over: it may be down, be left alone, or go no further. */
function tellsOfTheEndpoint(
  { ordered }: Webhook,
  { attempt, control, notBeforeMs }: Attempted & { kind: "attempted" },
): boolean {
  if (control === "disable" || attempt.status === GONE) return true;
  return attempt.error !== null && (ordered || isOutage(attempt) || notBeforeMs !== null);
}

export const isOld = ({ from }: Pick<Task, "from">): boolean =>
  from === "waiting" || from === "replay";

/** How far a replay is while part of it is on its way: it goes past what is done, without a gap. */
interface Replaying {
  readonly begin: Replay;
  /** Those that are not done, in their order, which is the one that they are sent in. */
  readonly tasks: readonly Task[];
  /** Where it stands after them. */
  readonly end: Replay | null;
}

/** Without the tasks that were not begun: those are planned anew. */
function cutShort(replaying: Replaying, queue: readonly Task[]): Replaying {
  const cut = replaying.tasks.findIndex((task) => queue.includes(task));
  if (cut === -1) return replaying;
  const tasks = replaying.tasks.slice(0, cut);
  return { ...replaying, tasks, end: after(replaying.begin, tasks.at(-1)) };
}

interface Advanced {
  /** From where to where it went. */
  readonly progress: { readonly begin: Replay; readonly end: Replay | null };
  /** Null: all of the part is done. */
  readonly left: Replaying | null;
}

function advanced({ begin, tasks, end }: Replaying, done: ReadonlySet<Task>): Advanced {
  const open = tasks.findIndex((task) => !done.has(task));
  if (open === -1) return { progress: { begin, end }, left: null };
  const next = after(begin, tasks[open - 1]);
  return {
    progress: { begin, end: next },
    left: { begin: next, tasks: tasks.slice(open), end },
  };
}

/** The replay after this task; as it was if there is none. */
const after = (replay: Replay, task: Task | undefined): Replay =>
  task === undefined ? replay : { ...replay, after: task.delivery.eventId };
