import type { Missing } from "../../src/domain/cover.ts";
import { neuronStanding } from "../../src/domain/admission.ts";
import { ZERO } from "../../src/domain/micro-neurons.ts";
import { type Day, dayOf, monthStart } from "../../src/domain/period.ts";
import { promisedBy } from "../../src/domain/settings.ts";
import type {
  AccountAnswer,
  AccountAsk,
  AccountView,
  HeardView,
  LeaseReply,
} from "../account/account-protocol.ts";
import type { Parts } from "./parts.ts";
import type { Profile } from "./profile-store.ts";

// The way from a tenant's object to the account: one message at a time, with what all calls that wait
// lack. What is answered is written down before any of them is tried again.

/** Calls whose tickets are asked for in one message; the rest wait for the next. */
const MOST_CALLS = 256;

/** After the account did not answer. Until then nobody waits for it in vain. */
const UNREACHABLE_MS = 500;

/** What is to be told is told again after that. */
const RETRY_MS = 30_000;

/** Who admitted something within this time is not idle: it keeps what it leased. */
const BUSY_MS = 10_000;

/** Between two times that a tenant gives back what it does not use. */
const GIVE_BACK_EVERY_MS = 60_000;

/** Beyond the longest that a hold may be open. */
const LATE_MS = 900_000;

/** The `Account` object, as far as this is concerned. */
export interface AskedAccount {
  ask(ask: AccountAsk): Promise<AccountAnswer>;
}

export interface LinkDeps {
  readonly parts: Parts;
  /** One step of the object as it is by then; null: it is no more, or is being ended. */
  readonly step: <Result>(work: (profile: Profile, nowMs: number) => Result) => Result | null;
  /** A new stub each time: one that threw is broken. */
  readonly account: () => AskedAccount;
  readonly wallMs: () => number;
  readonly report: (event: string, error: unknown) => void;
}

interface Waiting {
  readonly missing: Missing;
  readonly resolve: (asked: boolean) => void;
}

type Draft = Pick<AccountAsk, "lease" | "rates" | "news" | "probe">;

const NOTHING: Draft = { lease: null, rates: null, news: null, probe: false };

export class AccountLink {
  readonly #deps: LinkDeps;
  #waiting: Waiting[] = [];
  #isDraining = false;
  #turn: Promise<unknown> = Promise.resolve();
  #unreachableUntilMs = 0;
  #retryAtMs = 0;

  constructor(deps: LinkDeps) {
    this.#deps = deps;
  }

  /** Calls that wait for the account. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when the account was asked for what a call lacks; false: it could not be. */
  cover(missing: Missing): Promise<boolean> {
    if (this.#deps.wallMs() < this.#unreachableUntilMs) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push({ missing, resolve });
      if (!this.#isDraining) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    // All calls of one commit wait by the next turn of the queue.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, MOST_CALLS);
      const missing = some.map((one) => one.missing);
      // oxlint-disable-next-line no-await-in-loop -- the next calls gather while this one is asked
      const answer = await this.#send((profile, nowMs) => this.#need(missing, profile, nowMs));
      const asked = answer !== null;
      for (const { resolve } of some) resolve(asked);
      // Whoever is refused is so by what is known now: nobody waits to be told the same.
      const isOver = answer === null || Object.keys(answer.rates?.refused ?? {}).length > 0;
      if (isOver) for (const { resolve } of this.#waiting.splice(0)) resolve(asked);
    }
    this.#isDraining = false;
  }

  #need(missing: readonly Missing[], profile: Profile, nowMs: number): Draft {
    const { ledger, cover } = this.#deps.parts;
    const { available: own } = neuronStanding(ledger.standing(profile), ZERO);
    return {
      lease: cover.need(missing, ledger.use(dayOf(nowMs)), own),
      rates: cover.rates(missing),
      news: cover.account.news,
      probe: missing.some(({ probe }) => probe),
    };
  }

  /** What the alarm does: tells what is to be told, and gives back what is not used. */
  async tend(): Promise<void> {
    const { parts, wallMs } = this.#deps;
    if (wallMs() < this.#retryAtMs) return;
    if (parts.cover.account.news !== null && !(await this.tellNews())) return;
    for (const day of this.#dueDays(wallMs())) {
      // oxlint-disable-next-line no-await-in-loop -- one message after the other
      if (!(await this.#settleDay(day))) return;
    }
  }

  /** When `tend` has something to do; null: not before something happens. */
  dueMs(nowMs: number): number | null {
    const { cover } = this.#deps.parts;
    const due = [...cover.leases.keys()].flatMap((day) => this.#dayDueMs(day, nowMs) ?? []);
    if (cover.account.news !== null) due.push(nowMs);
    return due.length === 0 ? null : Math.max(this.#retryAtMs, Math.min(...due));
  }

  /** Tells at once what a call learned of the account's allocation. */
  async tellNews(): Promise<boolean> {
    const news = this.#deps.parts.cover.account.news;
    if (news === null) return true;
    return (await this.#send(() => ({ ...NOTHING, news }))) !== null;
  }

  /** The account asks for what this tenant has of a day and does not use. */
  async giveBack(life: number, day: Day): Promise<void> {
    const { parts } = this.#deps;
    await this.#send((profile, nowMs) => {
      if (profile.generation !== life) return null;
      const isIdle = day !== dayOf(nowMs) || !parts.cover.isBusy(nowMs, BUSY_MS);
      return { ...NOTHING, lease: parts.cover.report(parts.ledger.use(day), isIdle) };
    });
  }

  async #settleDay(day: Day): Promise<boolean> {
    const { parts } = this.#deps;
    const answer = await this.#send(() => ({
      ...NOTHING,
      lease: parts.cover.report(parts.ledger.use(day), true),
    }));
    if (answer === null) return false;
    // What was heard of this number was another message: the next one has the last word.
    if (!isHeard(answer.lease)) return true;
    this.#deps.step((_, nowMs) => {
      const isOver = day < dayOf(nowMs) && parts.ledger.pending(day) === 0;
      if (isOver) parts.cover.remove(day);
    });
    return true;
  }

  #dueDays(nowMs: number): readonly Day[] {
    return [...this.#deps.parts.cover.leases.keys()].filter(
      (day) => (this.#dayDueMs(day, nowMs) ?? Infinity) <= nowMs,
    );
  }

  /** A day that is over is told once nothing of it is in progress; today's lease when it has ended. */
  #dayDueMs(day: Day, nowMs: number): number | null {
    const { cover, ledger } = this.#deps.parts;
    const lease = cover.leases.get(day);
    if (lease === undefined) return null;
    if (day < dayOf(nowMs)) {
      return ledger.pending(day) === 0 ? nowMs : Math.max(nowMs, lease.toldAtMs) + LATE_MS;
    }
    const { spent, pending } = ledger.use(day);
    if (lease.granted <= spent + pending) return null;
    return Math.max(lease.deadlineMs, lease.toldAtMs + GIVE_BACK_EVERY_MS);
  }

  /** One message at a time: the next is numbered only when this one was answered, or given up. */
  #send(
    draft: (profile: Profile, nowMs: number) => Draft | null,
  ): Promise<Extract<AccountAnswer, { kind: "answered" }> | null> {
    const turn = this.#turn.then(() => this.#ask(draft));
    this.#turn = turn;
    return turn;
  }

  /** Never rejects: null is no answer, or nothing to ask. */
  async #ask(
    draft: (profile: Profile, nowMs: number) => Draft | null,
  ): Promise<Extract<AccountAnswer, { kind: "answered" }> | null> {
    const { step, account, report, wallMs } = this.#deps;
    try {
      const askedMs = wallMs();
      const ask = step((profile, nowMs): AccountAsk | null => {
        const drafted = draft(profile, nowMs);
        return drafted === null ? null : { ...drafted, ...senderOf(profile) };
      });
      if (ask === null) return null;
      const answer = structuredClone(await account().ask(ask));
      if (answer.kind === "over") return null;
      step((_, nowMs) => this.#hear(ask, answer, { wallMs: askedMs, nowMs }));
      this.#unreachableUntilMs = 0;
      return answer;
    } catch (error) {
      this.#unreachableUntilMs = wallMs() + UNREACHABLE_MS;
      this.#retryAtMs = wallMs() + RETRY_MS;
      report("account_unreachable", error);
      return null;
    }
  }

  #hear(
    ask: AccountAsk,
    answer: Extract<AccountAnswer, { kind: "answered" }>,
    at: { readonly wallMs: number; readonly nowMs: number },
  ): void {
    this.#deps.parts.cover.hear(ask, answer, at);
    seeClosure(this.#deps.parts, answer.view);
  }
}

const isHeard = (reply: LeaseReply | null): boolean =>
  reply === null || !("stale" in reply || reply.repeated);

/** Who asks. */
export const senderOf = (profile: Profile) => ({
  tenant: profile.id,
  life: profile.generation,
  promised: promisedBy(profile),
});

/** What the account says of the closure holds, unless a call here has learned something since. */
export function seeClosure({ cover, ledger }: Parts, view: AccountView): void {
  if (cover.account.news !== null || view.notice < cover.account.notice) return;
  ledger.setClosure(view.closure);
}

/** What the account tells all tenants; the answer is what it needs to know where neurons are shared out. */
export function hearAccount(
  parts: Parts,
  profile: Profile,
  view: AccountView,
  nowMs: number,
): HeardView {
  if (parts.cover.see(view)) seeClosure(parts, view);
  const today = dayOf(nowMs);
  const from = monthStart(today);
  const days = view.isPooled
    ? parts.journal.listPeriods(from, today).map(({ day }) => parts.ledger.use(day))
    : [];
  return { life: profile.generation, days };
}
