import type { Task } from "./next-work.ts";
import type { Replay } from "./webhook-store.ts";

// How far a replay is while part of it is on its way: it goes past what was done without a gap.

export interface Replaying {
  readonly begin: Replay;
  /** Those that are not done, in their order, which is the one that they are sent in. */
  readonly tasks: readonly Task[];
  /** Where it stands after them. */
  readonly end: Replay | null;
}

/** What was not begun is planned anew. */
export function cutShort(replaying: Replaying, queue: readonly Task[]): Replaying {
  const cut = replaying.tasks.findIndex((task) => queue.includes(task));
  if (cut === -1) return replaying;
  const tasks = replaying.tasks.slice(0, cut);
  return { ...replaying, tasks, end: after(replaying.begin, tasks.at(-1)) };
}

export interface Advanced {
  /** From where to where it went. */
  readonly progress: { readonly begin: Replay; readonly end: Replay | null };
  /** Null: all of the part is done. */
  readonly left: Replaying | null;
}

export function advanced({ begin, tasks, end }: Replaying, done: ReadonlySet<Task>): Advanced {
  const open = tasks.findIndex((task) => !done.has(task));
  if (open === -1) return { progress: { begin, end }, left: null };
  const next = after(begin, tasks[open - 1]);
  return {
    progress: { begin, end: next },
    left: { begin: next, tasks: tasks.slice(open), end },
  };
}

/** A replay when this was done; without it: as it was. */
const after = (replay: Replay, task: Task | undefined): Replay =>
  task === undefined ? replay : { ...replay, after: task.delivery.eventId };
