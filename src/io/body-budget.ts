// How many bytes of request bodies an isolate holds at once. It has 128 MB for everything, and all
// requests share it: without a budget five uploads of 25 MB end it, and all its calls with it.
//
// A body holds memory from its first byte until its request no longer needs it. A body that does not fit
// waits a little, and is then refused.
//
// - First come, first served. But a body that fits may overtake one that does not, until the waiting
//   body was overtaken by as many bytes as it wants itself.
// - Large bodies leave a part free, so that small bodies do not wait for them.
// - A body of unknown length holds a part while it asks for more. If all bodies that hold memory wait,
//   none of them gives any back: then the youngest of them is refused.
// - While others wait, a slow body gives way: a sender that announces 25 MB and sends a byte a second
//   would block everybody else.
// - A request without activity for long is gone (the platform ends a request whose client left, and does
//   not tell its code): its memory is free again.

export interface BodyLimits {
  readonly totalBytes: number;
  /** All bodies of more than `smallBytes` together. */
  readonly largeBytes: number;
  readonly smallBytes: number;
  readonly waitMs: number;
  /** How often a waiting body looks whether its turn has come. */
  readonly lookMs: number;
  readonly mostWaiting: number;
  /** The most of one owner: its own queue does not keep others from waiting. */
  readonly mostWaitingOfOwner: number;
  /** A body may always take this long, at any pace. */
  readonly patienceMs: number;
  /** The least pace after that, while others wait. */
  readonly paceBytesPerMs: number;
  /** A request without activity for this long is gone. */
  readonly goneMs: number;
}

const MB = 1_048_576;

export const BODY_LIMITS: BodyLimits = {
  // Parsed values and texts take as much again, and engines get pictures and sounds: together they fit
  // the isolate's 128 MB.
  totalBytes: 48 * MB,
  // A body of the largest kind and some more fit. The other 8 MB are 128 small bodies of the largest size.
  largeBytes: 40 * MB,
  smallBytes: 65_536,
  // Less than any client waits, and as long as a call takes that holds the memory.
  waitMs: 3000,
  lookMs: 20,
  mostWaiting: 32,
  mostWaitingOfOwner: 4,
  patienceMs: 5000,
  // 256 kB a second: 25 MB in 100 s.
  paceBytesPerMs: 256,
  // A call ends within 90 s of its admission; a message of a chat session may wait 80 s before that.
  goneMs: 180_000,
};

/** Time, as the budget needs it. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

const REAL: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** A request for memory that could not be granted at once. */
interface Waiter {
  readonly claim: BodyClaim;
  readonly bytes: number;
  readonly untilMs: number;
  /** By how many bytes others have overtaken it. */
  overtaken: number;
  state: "waiting" | "granted" | "refused";
}

type Wish = Pick<Waiter, "claim" | "bytes">;

export class BodyBudget {
  readonly limits: BodyLimits;
  readonly clock: Clock;
  /** In the order in which they were opened. */
  readonly #held = new Map<BodyClaim, number>();
  #waiting: Waiter[] = [];
  #totalBytes = 0;
  #largeBytes = 0;

  constructor(limits: BodyLimits = BODY_LIMITS, clock: Clock = REAL) {
    this.limits = limits;
    this.clock = clock;
  }

  get heldBytes(): number {
    return this.#totalBytes;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** @param owner the owner of the body: a tenant, or the platform */
  open(owner: string): BodyClaim {
    const claim = new BodyClaim(this, owner);
    this.#held.set(claim, 0);
    return claim;
  }

  /** False where it was released, or counted as gone. */
  has(claim: BodyClaim): boolean {
    return this.#held.has(claim);
  }

  heldBy(claim: BodyClaim): number {
    return this.#held.get(claim) ?? 0;
  }

  /** Holds `bytes` in all for a claim; false: there is no room. Answers at once where they are free. */
  hold(claim: BodyClaim, bytes: number): boolean | Promise<boolean> {
    const held = this.#held.get(claim);
    if (held === undefined) return false;
    if (bytes <= held) return true;
    if (this.#grants({ claim, bytes }, this.#waiting)) return true;
    this.#dropGone();
    const own = this.#waiting.filter((other) => other.claim.owner === claim.owner).length;
    const { mostWaiting, mostWaitingOfOwner, waitMs } = this.limits;
    if (own >= mostWaitingOfOwner || this.#waiting.length >= mostWaiting) return false;
    const untilMs = this.clock.now() + waitMs;
    const waiter: Waiter = { claim, bytes, untilMs, overtaken: 0, state: "waiting" };
    this.#waiting.push(waiter);
    this.#serve();
    return this.#outcome(waiter);
  }

  /**
   * The waiter looks itself whether its turn has come. Another request gives it the turn, and in this
   * runtime a request cannot continue on the promise of another.
   */
  async #outcome(waiter: Waiter): Promise<boolean> {
    while (waiter.state === "waiting") {
      if (this.clock.now() >= waiter.untilMs) this.#refuse(waiter);
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      else await this.clock.sleep(this.limits.lookMs);
    }
    return waiter.state === "granted";
  }

  /** A claim needs no more than this; the waiting bodies are tried again. */
  shrink(claim: BodyClaim, bytes: number): void {
    const held = this.#held.get(claim) ?? 0;
    if (bytes < held) this.#set(claim, bytes);
    this.#serve();
  }

  release(claim: BodyClaim): void {
    if (!this.#held.has(claim)) return;
    this.#set(claim, 0);
    this.#held.delete(claim);
    for (const waiter of this.#waiting.filter((one) => one.claim === claim)) this.#refuse(waiter);
    this.#serve();
  }

  #set(claim: BodyClaim, bytes: number): void {
    const held = this.#held.get(claim) ?? 0;
    this.#totalBytes += bytes - held;
    this.#largeBytes += this.#asLarge(bytes) - this.#asLarge(held);
    this.#held.set(claim, bytes);
  }

  #asLarge(bytes: number): number {
    return bytes > this.limits.smallBytes ? bytes : 0;
  }

  #serve(): void {
    for (let at = 0; at < this.#waiting.length;) {
      const waiter = this.#waiting[at];
      if (waiter === undefined) return;
      if (this.#grants(waiter, this.#waiting.slice(0, at))) {
        this.#waiting.splice(at, 1);
        waiter.state = "granted";
      } else at += 1;
    }
    this.#breakDeadlock();
  }

  /** @param before the waiters that have waited longer */
  #grants(wish: Wish, before: readonly Waiter[]): boolean {
    const more = wish.bytes - (this.#held.get(wish.claim) ?? 0);
    // Small bodies may always overtake.
    const overtaken = this.#asLarge(wish.bytes) === 0 ? [] : before;
    if (!this.#fits(wish) || overtaken.some((one) => one.overtaken + more > one.bytes)) {
      return false;
    }
    for (const one of overtaken) one.overtaken += more;
    this.#set(wish.claim, wish.bytes);
    return true;
  }

  #fits({ claim, bytes }: Wish): boolean {
    const held = this.#held.get(claim) ?? 0;
    const large = this.#largeBytes - this.#asLarge(held) + this.#asLarge(bytes);
    if (this.#totalBytes - held + bytes > this.limits.totalBytes) return false;
    return this.#asLarge(bytes) === 0 || large <= this.limits.largeBytes;
  }

  #breakDeadlock(): void {
    if (this.#waiting.length === 0) return;
    const waits = new Set(this.#waiting.map(({ claim }) => claim));
    const holders = [...this.#held.keys()].filter((claim) => this.#held.get(claim) !== 0);
    const youngest = holders.at(-1);
    if (youngest !== undefined && holders.every((holder) => waits.has(holder))) {
      this.release(youngest);
    }
  }

  #refuse(waiter: Waiter): void {
    const at = this.#waiting.indexOf(waiter);
    if (at === -1) return;
    this.#waiting.splice(at, 1);
    waiter.state = "refused";
    this.#serve();
  }

  #dropGone(): void {
    const nowMs = this.clock.now();
    for (const claim of this.#held.keys()) if (claim.aliveUntilMs <= nowMs) this.release(claim);
    const late = this.#waiting.filter(({ untilMs }) => untilMs <= nowMs);
    for (const waiter of late) this.#refuse(waiter);
  }
}

/** The memory that one request's body holds. The code that opened it must always release it. */
export class BodyClaim {
  readonly owner: string;
  readonly #budget: BodyBudget;
  #startedMs: number;
  #weight = 1;
  #receivedBytes = 0;
  #aliveUntilMs: number;

  constructor(budget: BodyBudget, owner: string) {
    this.#budget = budget;
    this.owner = owner;
    this.#startedMs = budget.clock.now();
    this.#aliveUntilMs = this.#startedMs + budget.limits.goneMs;
  }

  get aliveUntilMs(): number {
    return this.#aliveUntilMs;
  }

  /** How many bytes of memory a byte of the body takes: itself, and the values made of it. */
  weigh(weight: number): void {
    this.#weight = weight;
  }

  /** Room for a body of so many bytes in all; false: there is none. */
  hold(bytes: number): boolean | Promise<boolean> {
    this.stayAlive();
    return this.#budget.hold(this, this.#weighed(bytes));
  }

  /** Room for so many bytes beside the body; false: there is none. */
  holdMore(bytes: number): boolean | Promise<boolean> {
    this.stayAlive();
    return this.#budget.hold(this, this.#budget.heldBy(this) + bytes);
  }

  /** So many bytes of it have arrived, or were taken of its reply. */
  came(bytes: number): void {
    this.#receivedBytes = bytes;
    this.stayAlive();
  }

  /** From now on it holds memory for a reply: what counts is the pace of the one who reads that. */
  replies(): void {
    this.#startedMs = this.#budget.clock.now();
    this.came(0);
  }

  /** It has ended, with so many bytes. */
  ended(bytes: number): void {
    this.stayAlive();
    this.#budget.shrink(this, this.#weighed(bytes));
  }

  /** Its request may need it for so many more milliseconds. */
  stayAlive(ms: number = this.#budget.limits.goneMs): void {
    this.#aliveUntilMs = this.#budget.clock.now() + ms;
  }

  /** Whether to give it up: it is slow and others wait, or it counts as gone. */
  get mustGiveWay(): boolean {
    if (!this.#budget.has(this)) return true;
    const { patienceMs, paceBytesPerMs } = this.#budget.limits;
    const lateMs = this.#budget.clock.now() - this.#startedMs - patienceMs;
    return this.#budget.waiting > 0 && this.#receivedBytes < lateMs * paceBytesPerMs;
  }

  release(): void {
    this.#budget.release(this);
  }

  /** No body weighs more than an idle isolate has for one. A small body keeps its own size. */
  #weighed(bytes: number): number {
    const { smallBytes, largeBytes } = this.#budget.limits;
    if (bytes <= smallBytes) return bytes;
    return Math.min(Math.ceil(bytes * this.#weight), Math.max(largeBytes, bytes));
  }
}
