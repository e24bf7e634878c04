import { type Share, shareKey } from "./pool.ts";
import { SumTree } from "./sum-tree.ts";

// What tenants were granted of a day and do not use, in the orders in which they are asked for it: those
// that have the most first, and those whose leases ended first. A tenant that was asked just now is in
// none of the orders until it may be asked again.

/** A tenant that was silent for so long may be idle: then it gives back its last chunk too. */
export const SILENT_MS = 10_000;

/** Between two times that a tenant is asked, if it answered the first time, and if not. */
export const RECALL_EVERY_MS = 1_000;
const RECALL_AGAIN_MS = 10_000;

/** A share that may have something to give back. */
export interface Holder {
  readonly share: Share;
  /** What it has beyond what it reported as used. */
  readonly unused: number;
  /** The same without what it may keep; below 0 where its calls hold more. */
  readonly surplus: number;
}

interface Entry {
  readonly order: number;
  share: Share;
  floor: number;
  isSilent: boolean;
  /** When its tenant was asked last, and the number of its latest message then. */
  asked: { readonly atMs: number; readonly seq: number } | null;
  mayAsk: boolean;
  /** Where it stands. */
  places: readonly (readonly [SumTree<Entry>, number])[];
}

export class UnusedLeases {
  readonly #entries = new Map<string, Entry>();
  #orders = 0;
  /** Silent ones, by what is unused. */
  readonly #silent = new SumTree<Entry>();
  /** The others: without a floor beyond what is used, by what is granted and not used. */
  readonly #busy = new SumTree<Entry>();
  /** With such a floor, by what is granted beyond it. */
  readonly #floored = new SumTree<Entry>();
  /** All that hold something in calls, by how much. */
  readonly #pending = new SumTree<Entry>();
  /** All that have something unused, by the end of the lease: that may be asked, and all. */
  readonly #ends = new SumTree<Entry>();
  readonly #allEnds = new SumTree<Entry>();
  /** In the order of their times. */
  readonly #reports = new Map<string, number>();
  readonly #askedSoon = new Map<string, number>();
  readonly #askedLate = new Map<string, number>();

  get steps(): number {
    const trees = [this.#silent, this.#busy, this.#floored, this.#pending, this.#ends];
    return trees.reduce((sum, { steps }) => sum + steps, this.#allEnds.steps);
  }

  put(share: Share, floor: number, nowMs: number): void {
    const key = shareKey(share);
    const isSilent = share.reportedAtMs <= nowMs - SILENT_MS;
    const entry = this.#entries.get(key) ?? this.#fresh(key, share);
    if (entry.share.reportedAtMs !== share.reportedAtMs || !this.#reports.has(key)) {
      this.#reports.delete(key);
      if (!isSilent) this.#reports.set(key, share.reportedAtMs);
    }
    Object.assign(entry, { share, floor, isSilent });
    this.#place(entry, nowMs);
  }

  setFloor(share: Share, floor: number): void {
    const entry = this.#entries.get(shareKey(share));
    if (entry === undefined) return;
    entry.floor = floor;
    this.#place(entry, null);
  }

  drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#move(entry, []);
    this.#entries.delete(key);
    for (const queue of [this.#reports, this.#askedSoon, this.#askedLate]) queue.delete(key);
  }

  advance(nowMs: number): void {
    this.#leave(this.#reports, nowMs - SILENT_MS, (entry) => {
      entry.isSilent = true;
      this.#place(entry, nowMs);
    });
    this.#leave(this.#askedSoon, nowMs - RECALL_EVERY_MS, (entry) => this.#place(entry, nowMs));
    this.#leave(this.#askedLate, nowMs - RECALL_AGAIN_MS, (entry) => {
      entry.asked = null;
      this.#place(entry, nowMs);
    });
  }

  #leave(queue: Map<string, number>, untilMs: number, then: (entry: Entry) => void): void {
    for (const [key, atMs] of queue) {
      if (atMs > untilMs) return;
      queue.delete(key);
      const entry = this.#entries.get(key);
      if (entry !== undefined) then(entry);
    }
  }

  /** Its tenant is asked. That is known in memory only: after a restart it is asked once more. */
  noteAsked(of: Pick<Share, "tenant" | "generation">, nowMs: number): void {
    const key = shareKey(of);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.asked = { atMs: nowMs, seq: entry.share.seq };
    for (const queue of [this.#askedSoon, this.#askedLate]) {
      queue.delete(key);
      queue.set(key, nowMs);
    }
    this.#place(entry, nowMs);
  }

  /**
   * Those that may have something to give back, the most first, at most so many of each kind.
   *
   * @param keep what one may keep that is not silent
   * @param mayHaveEnded what calls hold above it may not be held any more
   */
  holders(
    { keep, mayHaveEnded }: { readonly keep: number; readonly mayHaveEnded: number },
    limit: number,
  ): readonly Holder[] {
    const silent = taken(this.#silent, limit, (unused) => unused);
    const busy = taken(this.#busy, limit, (unused) => unused - keep);
    const floored = this.#bestFloored(keep, limit);
    const ended: Entry[] = [];
    for (const [pending, entry] of this.#pending.descending()) {
      if (pending <= mayHaveEnded) break;
      ended.push(entry);
    }
    const found = new Set([...silent, ...busy, ...floored, ...ended]);
    return [...found]
      .map((entry) => ({ entry, holder: holderOf(entry, keep) }))
      .toSorted((a, b) => b.holder.surplus - a.holder.surplus || a.entry.order - b.entry.order)
      .map(({ holder }) => holder);
  }

  /** No surplus is larger than what is granted beyond the floor, in the order of which these stand. */
  #bestFloored(keep: number, limit: number): readonly Entry[] {
    let best: Entry[] = [];
    for (const [granted, entry] of this.#floored.descending()) {
      const last = best.at(limit - 1);
      if (last !== undefined && granted < holderOf(last, keep).surplus) break;
      if (holderOf(entry, keep).surplus <= 0) continue;
      best = [...best, entry]
        .toSorted(
          (a, b) => holderOf(b, keep).surplus - holderOf(a, keep).surplus || a.order - b.order,
        )
        .slice(0, limit);
    }
    return best;
  }

  /** Those that may be asked whose leases ended until then, the first first. */
  ended(untilMs: number, limit: number): readonly Share[] {
    const ended: Share[] = [];
    for (const [endMs, { share }] of this.#ends.ascending()) {
      if (endMs > untilMs || ended.length === limit) break;
      ended.push(share);
    }
    return ended;
  }

  /** Of all leases of which something is unused; null: there is none. */
  get firstEndMs(): number | null {
    return this.#allEnds.count === 0 ? null : this.#allEnds.least;
  }

  #fresh(key: string, share: Share): Entry {
    const order = (this.#orders += 1);
    const nothing = { floor: 0, isSilent: false, asked: null, mayAsk: true, places: [] };
    const entry = { order, share, ...nothing };
    this.#entries.set(key, entry);
    return entry;
  }

  /** @param nowMs null: nothing was asked or answered */
  #place(entry: Entry, nowMs: number | null): void {
    const { granted, spent, pending, deadlineMs } = entry.share;
    const left = granted - spent - pending;
    const ends: Entry["places"] = left > 0 ? [[this.#allEnds, deadlineMs]] : [];
    if (nowMs !== null) entry.mayAsk = mayBeAsked(entry, nowMs);
    if (!entry.mayAsk) return this.#move(entry, ends);
    const places = [...ends];
    if (left > 0) places.push([this.#ends, deadlineMs]);
    const beyond = granted - entry.floor;
    if (beyond > 0 && left > 0) {
      if (entry.isSilent) places.push([this.#silent, Math.min(left, beyond)]);
      else if (left <= beyond) places.push([this.#busy, left]);
      else places.push([this.#floored, beyond]);
    }
    if (pending > 0 && granted > Math.max(spent, entry.floor)) {
      places.push([this.#pending, pending]);
    }
    this.#move(entry, places);
  }

  #move(entry: Entry, places: Entry["places"]): void {
    // Of equal ones the first comes first, from the most down.
    for (const [tree, key] of entry.places) tree.remove(key, 0 - entry.order);
    for (const [tree, key] of places) tree.add(key, 0 - entry.order, entry);
    entry.places = places;
  }
}

/** At once if it was granted something since it answered; so its own questions bound these. */
function mayBeAsked({ asked, share }: Entry, nowMs: number): boolean {
  if (asked === null || asked.atMs <= nowMs - RECALL_AGAIN_MS) return true;
  if (share.seq > asked.seq + 1) return true;
  return share.seq > asked.seq && asked.atMs <= nowMs - RECALL_EVERY_MS;
}

function holderOf({ share, floor, isSilent }: Entry, keep: number): Holder {
  const { granted, spent, pending } = share;
  const kept = isSilent ? 0 : keep;
  return {
    share,
    unused: granted - Math.max(spent + pending, floor),
    surplus: granted - Math.max(spent + pending + kept, floor),
  };
}

function taken(
  tree: SumTree<Entry>,
  limit: number,
  surplus: (key: number) => number,
): readonly Entry[] {
  const best: Entry[] = [];
  for (const [key, entry] of tree.descending()) {
    if (best.length === limit || surplus(key) <= 0) break;
    best.push(entry);
  }
  return best;
}
