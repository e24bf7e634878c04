// How many bytes of request bodies an isolate holds at once. It has 128 MB for everything, and all
// requests share it: without a budget five uploads of 25 MB end it, and everybody's calls with it.
//
// A body holds what it takes from when its bytes come until its request needs them no more. One that
// does not fit waits a little, and is then refused.
//
// - First come, first served; but a body that fits may overtake one that does not, until the one
//   that waits was overtaken by as many bytes as it wants itself.
// - Large bodies leave a part free, so that small ones do not wait for them.
// - A body of unknown length holds a part while it asks for more. Were all that hold something to
//   wait, nobody would give anything back: then the youngest of them is refused.
// - While somebody waits, a body that comes slowly gives way: who announces 25 MB and sends a byte
//   a second would keep everybody else out for nothing.
// - Whoever gave no sign of life for long is gone (the platform ends a request whose client left
//   without a word to its code): what it held is free again.

export interface BodyLimits {
  readonly totalBytes: number;
  /** All bodies of more than `smallBytes` together. */
  readonly largeBytes: number;
  readonly smallBytes: number;
  readonly waitMs: number;
  /** How often one that waits looks whether its turn has come. */
  readonly lookMs: number;
  readonly mostWaiting: number;
  /** Of one owner: its own queue keeps nobody else from waiting. */
  readonly mostWaitingOfOwner: number;
  /** A body may always take so long, however slowly it comes, */
  readonly patienceMs: number;
  /** and after that must have come at this pace, while others wait. */
  readonly paceBytesPerMs: number;
  readonly goneMs: number;
}

const MB = 1_048_576;

export const BODY_LIMITS: BodyLimits = {
  // With as much again for parsed values and texts, and the pictures and sounds that engines are
  // given, an isolate's 128 MB hold.
  totalBytes: 48 * MB,
  // One body of the largest kind and some more; 8 MB are 128 small bodies of the largest size.
  largeBytes: 40 * MB,
  smallBytes: 65_536,
  // Less than any client's patience, and as long as a call takes that has what others wait for.
  waitMs: 3000,
  lookMs: 20,
  mostWaiting: 32,
  mostWaitingOfOwner: 4,
  patienceMs: 5000,
  // 256 kB a second: 25 MB in 100 s.
  paceBytesPerMs: 256,
  // A call ends within 90 s of its admission.
  goneMs: 180_000,
};

/** What the budget needs of the world. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

const REAL: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** A wish that could not be granted at once. */
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

  /** @param owner whose body it is: a tenant, or the platform */
  open(owner: string): BodyClaim {
    const claim = new BodyClaim(this, owner);
    this.#held.set(claim, 0);
    return claim;
  }

  /** False where it was released, or taken for gone. */
  has(claim: BodyClaim): boolean {
    return this.#held.has(claim);
  }

  /** Holds `bytes` in all for a claim; false: they are not to be had. At once where they are free. */
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
   * It looks for itself whether its turn has come: whoever gives it its turn is another request, and
   * the runtime does not let one request go on with the promises of another.
   */
  async #outcome(waiter: Waiter): Promise<boolean> {
    while (waiter.state === "waiting") {
      if (this.clock.now() >= waiter.untilMs) this.#refuse(waiter);
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      else await this.clock.sleep(this.limits.lookMs);
    }
    return waiter.state === "granted";
  }

  /** A claim needs no more than this; those that wait are looked at anew. */
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

  /** @param before those that have waited for longer */
  #grants(wish: Wish, before: readonly Waiter[]): boolean {
    const more = wish.bytes - (this.#held.get(wish.claim) ?? 0);
    // Small bodies are in nobody's way.
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

/** What one request's body holds. Whoever opened it releases it, whatever happens. */
export class BodyClaim {
  readonly owner: string;
  readonly #budget: BodyBudget;
  readonly #startedMs: number;
  #weight = 1;
  #comeBytes = 0;
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

  /** How many bytes of memory a byte of the body takes: itself, and what is made of it. */
  weigh(weight: number): void {
    this.#weight = weight;
  }

  /** Room for a body of so many bytes in all; false: there is none. */
  hold(bytes: number): boolean | Promise<boolean> {
    this.stayAlive();
    return this.#budget.hold(this, this.#weighed(bytes));
  }

  /** So much of it has come. */
  came(bytes: number): void {
    this.#comeBytes = bytes;
    this.stayAlive();
  }

  /** It has come to its end, and was no longer than this. */
  ended(bytes: number): void {
    this.stayAlive();
    this.#budget.shrink(this, this.#weighed(bytes));
  }

  /** Its request may go on to need it for so long. */
  stayAlive(ms: number = this.#budget.limits.goneMs): void {
    this.#aliveUntilMs = this.#budget.clock.now() + ms;
  }

  /** Whether to give it up: it comes slowly and others wait, or it was taken for gone. */
  get mustGiveWay(): boolean {
    if (!this.#budget.has(this)) return true;
    const { patienceMs, paceBytesPerMs } = this.#budget.limits;
    const lateMs = this.#budget.clock.now() - this.#startedMs - patienceMs;
    return this.#budget.waiting > 0 && this.#comeBytes < lateMs * paceBytesPerMs;
  }

  release(): void {
    this.#budget.release(this);
  }

  /** No body weighs more than an idle isolate has for one; and what came as small is small. */
  #weighed(bytes: number): number {
    const { smallBytes, largeBytes } = this.#budget.limits;
    if (bytes <= smallBytes) return bytes;
    return Math.min(Math.ceil(bytes * this.#weight), Math.max(largeBytes, bytes));
  }
}
