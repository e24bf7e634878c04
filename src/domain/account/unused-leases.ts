import { ZERO } from "../ledger/micro-neurons.ts";
import { type Share, shareKey } from "./pool.ts";
import { SumTree } from "./sum-tree.ts";

// The granted amounts of a day that tenants do not use, in the orders in which tenants are asked to give them
// back: those with the most first, and those whose leases ended first. A tenant that was just asked is in
// none of the orders until it may be asked again.

/** A tenant that was silent for so long may be idle: then it gives back its last chunk too. */
export const SILENT_MS = 10_000;

/** The time between two recalls to a tenant that answered the first one, and to one that did not. */
export const RECALL_EVERY_MS = 1_000;
const RECALL_AGAIN_MS = 10_000;

/** A share that may have an amount to give back. */
export interface Holder {
  readonly share: Share;
  /** The amount beyond its reported use. */
  readonly unused: number;
  /** `unused` without the part that it may keep; below 0 when its calls hold more. */
  readonly surplus: number;
}

interface Entry {
  readonly order: number;
  share: Share;
  floor: number;
  isSilent: boolean;
  /** When its tenant was last asked, and the number of its latest message at that time. */
  lastRecall: { readonly atMs: number; readonly seq: number } | null;
  mayAsk: boolean;
}

export class UnusedLeases {
  readonly #entries = new Map<string, Entry>();
  #entered = 0;
  /** Silent shares, by the unused amount. */
  readonly #silent = new SumTree<Entry>();
  /** Other shares with no unused floor, by the granted amount that is not used. */
  readonly #busy = new SumTree<Entry>();
  /** Other shares with an unused floor, by the granted amount beyond it. */
  readonly #floored = new SumTree<Entry>();
  /** All shares with amounts held by calls, by that amount. */
  readonly #pending = new SumTree<Entry>();
  /** Shares with an unused amount, by the end of the lease: those that may be asked, and all of them. */
  readonly #ends = new SumTree<Entry>();
  readonly #allEnds = new SumTree<Entry>();
  readonly #orders = [
    this.#silent,
    this.#busy,
    this.#floored,
    this.#pending,
    this.#ends,
    this.#allEnds,
  ];
  /** Queues in the order of time. */
  readonly #reports = new Map<string, number>();
  readonly #askedSoon = new Map<string, number>();
  readonly #askedLate = new Map<string, number>();

  get steps(): number {
    return this.#orders.reduce((sum, { steps }) => sum + steps, 0);
  }

  put(share: Share, floor: number, nowMs: number): void {
    const key = shareKey(share);
    const isSilent = share.reportedAtMs <= nowMs - SILENT_MS;
    const entry = this.#entries.get(key) ?? this.#fresh(key, share);
    if (entry.share.reportedAtMs !== share.reportedAtMs || !this.#reports.has(key)) {
      this.#reports.delete(key);
      if (!isSilent) this.#reports.set(key, share.reportedAtMs);
    }
    this.#change(entry, nowMs, () => Object.assign(entry, { share, floor, isSilent }));
  }

  setFloor(share: Share, floor: number): void {
    const entry = this.#entries.get(shareKey(share));
    if (entry !== undefined) this.#change(entry, null, () => (entry.floor = floor));
  }

  drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#place(entry, "remove");
    this.#entries.delete(key);
    for (const queue of [this.#reports, this.#askedSoon, this.#askedLate]) queue.delete(key);
  }

  advance(nowMs: number): void {
    this.#leave(this.#reports, nowMs - SILENT_MS, (entry) =>
      this.#change(entry, nowMs, () => (entry.isSilent = true)),
    );
    this.#leave(this.#askedSoon, nowMs - RECALL_EVERY_MS, (entry) =>
      this.#change(entry, nowMs, () => undefined),
    );
    this.#leave(this.#askedLate, nowMs - RECALL_AGAIN_MS, (entry) =>
      this.#change(entry, nowMs, () => (entry.lastRecall = null)),
    );
  }

  #leave(queue: Map<string, number>, untilMs: number, then: (entry: Entry) => void): void {
    for (const [key, atMs] of queue) {
      if (atMs > untilMs) return;
      queue.delete(key);
      const entry = this.#entries.get(key);
      if (entry !== undefined) then(entry);
    }
  }

  /** Notes that a share's tenant is asked. Only memory knows it: after a restart it is asked once more. */
  noteAsked(of: Pick<Share, "tenant" | "generation">, nowMs: number): void {
    const key = shareKey(of);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    for (const queue of [this.#askedSoon, this.#askedLate]) {
      queue.delete(key);
      queue.set(key, nowMs);
    }
    const lastRecall = { atMs: nowMs, seq: entry.share.seq };
    this.#change(entry, nowMs, () => (entry.lastRecall = lastRecall));
  }

  /**
   * The shares that may have an amount to give back, the largest first, at most `limit` of each kind.
   *
   * @param keep the amount that a share may keep that is not silent
   * @param mayHaveEnded calls that hold more than this may have ended
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

  /** A surplus is at most the granted amount beyond the floor, which is the order of this tree. */
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

  /** The shares that may be asked whose leases ended by then, the earliest first. */
  ended(untilMs: number, limit: number): readonly Share[] {
    const ended: Share[] = [];
    for (const [endMs, { share }] of this.#ends.ascending()) {
      if (endMs > untilMs || ended.length === limit) break;
      ended.push(share);
    }
    return ended;
  }

  /** The first end of a lease with an unused amount; null: there is none. */
  get firstEndMs(): number | null {
    return this.#allEnds.count === 0 ? null : this.#allEnds.least;
  }

  /** It has a place once it is changed: a share without a grant is in none of the orders. */
  #fresh(key: string, of: Share): Entry {
    const order = (this.#entered += 1);
    const share = { ...of, granted: ZERO, pending: ZERO };
    const entry = { order, share, floor: 0, isSilent: false, lastRecall: null, mayAsk: true };
    this.#entries.set(key, entry);
    return entry;
  }

  /**
   * Changes an entry between leaving its places and taking the new ones.
   *
   * @param nowMs null: nothing was asked or answered since
   */
  #change(entry: Entry, nowMs: number | null, work: () => void): void {
    this.#place(entry, "remove");
    work();
    if (nowMs !== null) entry.mayAsk = mayBeAsked(entry, nowMs);
    this.#place(entry, "add");
  }

  /** The places follow from the entry alone, so they are not kept. */
  #place(entry: Entry, how: "add" | "remove"): void {
    // The order is negative so that of equal keys, descending, the first comes first.
    const tie = 0 - entry.order;
    const move = (tree: SumTree<Entry>, key: number): void => {
      if (how === "add") tree.add(key, tie, entry);
      else tree.remove(key, tie);
    };
    const { granted, spent, pending, deadlineMs } = entry.share;
    const left = granted - spent - pending;
    if (left > 0) move(this.#allEnds, deadlineMs);
    if (!entry.mayAsk) return;
    if (left > 0) move(this.#ends, deadlineMs);
    const beyond = granted - entry.floor;
    if (beyond > 0 && left > 0) {
      if (entry.isSilent) move(this.#silent, Math.min(left, beyond));
      else if (left <= beyond) move(this.#busy, left);
      else move(this.#floored, beyond);
    }
    if (pending > 0 && granted > Math.max(spent, entry.floor)) move(this.#pending, pending);
  }
}

/** At once if it was granted something after its answer: then its own requests limit these recalls. */
function mayBeAsked({ lastRecall, share }: Entry, nowMs: number): boolean {
  if (lastRecall === null || lastRecall.atMs <= nowMs - RECALL_AGAIN_MS) return true;
  if (share.seq > lastRecall.seq + 1) return true;
  return share.seq > lastRecall.seq && lastRecall.atMs <= nowMs - RECALL_EVERY_MS;
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
