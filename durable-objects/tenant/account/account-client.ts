import type { Missing } from "../../../src/domain/account/account-budget.ts";
import { neuronBalance } from "../../../src/domain/ledger/admission.ts";
import { type MicroNeurons, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Day, dayOf } from "../../../src/domain/ledger/period.ts";
import { promisedBy } from "../../../src/domain/tenant/settings.ts";
import type {
  AccountAnswer,
  AccountMessage,
  AccountView,
  LeaseReply,
} from "../../account/account-protocol.ts";
import { AccountQueue, type Answered, isLeaseRefused } from "./account-memory.ts";
import { AccountSight } from "./account-sight.ts";
import type { TenantContext, TenantFeature } from "../feature.ts";
import type { TenantStores } from "../stores.ts";
import type { Transact, Tx } from "../transactions.ts";
import type { Profile } from "../profile-store.ts";
import { ACCOUNT_VIEW, LEASES } from "./lease-schema.ts";
import { UnleasedDays } from "./unleased-days.ts";

// The way from a tenant's object to the account: one message at a time, with what all calls that wait
// lack. The answer is written down before any of them is tried again.

/** After the account did not answer. Until then nobody waits for it in vain. */
const UNREACHABLE_MS = 500;

/** After a message without an answer, it is sent again this much later. */
const RETRY_MS = 30_000;

/** Between two times that a tenant gives back what it does not use. */
const GIVE_BACK_EVERY_MS = 60_000;

/** The same while it has far more than it uses. */
const GIVE_BACK_MUCH_EVERY_MS = 10_000;

/**
 * Between two questions for neurons, at least: after a refusal, and else. Calls that want some wait
 * for the next question together, so that no tenant keeps the account busy.
 */
const ASK_EVERY_REFUSED_MS = 1_000;
const ASK_EVERY_MS = 100;

/** Beyond the longest that a hold may be open. */
const LATE_MS = 900_000;

export const ACCOUNT_FEATURE: TenantFeature = {
  name: "account",
  tables: [ACCOUNT_VIEW, LEASES],
  capability: ({ client }) => ({
    dueMs: (nowMs, profile) => (profile.closed ? Infinity : (client.dueMs(nowMs) ?? Infinity)),
    tend: async (profile) => {
      if (!profile.closed) await client.tend();
      return false;
    },
  }),
};

/** The `Account` object, as far as this is concerned. */
export interface AccountStub {
  ask(ask: AccountMessage): Promise<AccountAnswer>;
}

export interface AccountClientDeps {
  readonly stores: TenantStores;
  /** A transaction of the object as it is by then; null: it is no more, or is being ended. */
  readonly transact: Transact;
  /** A new stub each time: one that threw is broken. */
  readonly account: () => AccountStub;
  readonly wallMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly report: (event: string, error: unknown) => void;
}

/** What one message says beside who sends it. */
type Draft = Pick<AccountMessage, "lease" | "rates" | "news" | "probe" | "look">;

const NOTHING: Draft = { lease: null, rates: null, news: null, probe: false, look: null };

export class AccountClient {
  readonly #deps: AccountClientDeps;
  /** Calls that lack permits alone do not wait for those that lack neurons. */
  readonly #forNeurons: AccountQueue;
  readonly #forPermits: AccountQueue;
  /** A question for neurons is under way. */
  #isAsking = false;
  #turn: Promise<unknown> = Promise.resolve();
  /** Messages that are under way, or wait for their turn. */
  #sending = 0;
  #unreachableUntilMs = 0;
  #retryAtMs = 0;
  readonly #unleased: UnleasedDays;
  readonly #sight: AccountSight;

  constructor(deps: AccountClientDeps) {
    this.#deps = deps;
    this.#unleased = new UnleasedDays(deps.stores);
    const { sleep } = deps;
    this.#forNeurons = new AccountQueue({
      ask: (missing) => this.#askForNeurons(missing),
      pauseMs: (answer) =>
        answer !== null && isLeaseRefused(answer) ? ASK_EVERY_REFUSED_MS : ASK_EVERY_MS,
      sleep,
    });
    const ask = (missing: readonly Missing[]) => this.#askFor(missing);
    this.#forPermits = new AccountQueue({ ask, pauseMs: () => 0, sleep });
    const { budget } = deps.stores;
    this.#sight = new AccountSight(
      (sinceMs) => this.#send(() => (budget.seenAtMs > sinceMs ? null : NOTHING)),
      sleep,
    );
  }

  /** Calls that wait for the account. */
  get waiting(): number {
    return this.#forNeurons.waiting + this.#forPermits.waiting;
  }

  /** Resolves when the account has answered for what a call lacks; false: it did not. */
  request(missing: Missing): Promise<boolean> {
    if (this.#deps.wallMs() < this.#unreachableUntilMs) return Promise.resolve(false);
    return (missing.bound === null ? this.#forPermits : this.#forNeurons).request(missing);
  }

  async #askForNeurons(missing: readonly Missing[]): Promise<Answered | null> {
    this.#isAsking = true;
    const answer = await this.#askFor(missing);
    this.#isAsking = false;
    return answer;
  }

  #askFor(missing: readonly Missing[]): Promise<Answered | null> {
    return this.#send((tx) => need(tx, missing));
  }

  /** Asks how much could be had now, for a quote: nothing is granted. At most once a second. */
  async look(): Promise<void> {
    const { wallMs } = this.#deps;
    if (wallMs() < this.#unreachableUntilMs) return;
    await this.#send(({ nowMs, stores }) => {
      const { account, pool } = stores.budget;
      const day = dayOf(nowMs);
      const isKnown = !account.isPooled || pool.outlook(day, nowMs) !== null;
      return isKnown ? null : { ...NOTHING, look: day };
    });
  }

  /** Gets the account's view, unless it came a moment ago. */
  async see(): Promise<void> {
    if (this.#deps.wallMs() >= this.#unreachableUntilMs) {
      await this.#sight.refresh(this.#deps.wallMs());
    }
  }

  /** The alarm's part: sends news to the account, and gives back unused neurons. */
  async tend(): Promise<void> {
    const { stores, wallMs } = this.#deps;
    if (wallMs() < this.#retryAtMs) return;
    if (stores.budget.account.news !== null && !(await this.tellNews())) return;
    for (const day of this.#dueDays(wallMs())) {
      // oxlint-disable-next-line no-await-in-loop -- one message after the other
      if (!(await this.#settleDay(day))) return;
    }
  }

  /** When `tend` has something to do; null: not before something happens. */
  dueMs(nowMs: number): number | null {
    const { budget } = this.#deps.stores;
    const due = [...budget.leases.keys()].flatMap((day) => this.#dayDueMs(day, nowMs) ?? []);
    if (budget.account.news !== null) due.push(nowMs);
    return due.length === 0 ? null : Math.max(this.#retryAtMs, Math.min(...due));
  }

  /** Tells at once what a call learned of the account's allocation. */
  async tellNews(): Promise<boolean> {
    const news = this.#deps.stores.budget.account.news;
    if (news === null) return true;
    return (await this.#send(() => ({ ...NOTHING, news }))) !== null;
  }

  /**
   * The account asks for what this tenant has of a day and does not use. A tenant that is asking for
   * more itself answers after that, and nobody waits for it: two that wait for each other would wait
   * in vain.
   */
  async giveBack(generation: number, day: Day, keep: MicroNeurons): Promise<void> {
    const isAsking = this.#isAsking;
    const given = this.#send((tx) => {
      if (tx.profile.generation !== generation) return null;
      return { ...NOTHING, lease: lowered(tx, day, keep) };
    });
    if (!isAsking) await given;
  }

  async #settleDay(day: Day): Promise<boolean> {
    let isOver = false;
    const answer = await this.#send((tx) => {
      const { nowMs, stores } = tx;
      // A call that ends while the message is on its way is not in it: the day is reported again.
      isOver = day < dayOf(nowMs) && stores.ledger.pending(day) === 0;
      // Of a lease that has ended nothing can be used.
      const isLive = nowMs < (stores.budget.leases.get(day)?.deadlineMs ?? 0);
      const keep = isLive ? (stores.budget.pool.chunk(day) ?? ZERO) : ZERO;
      return { ...NOTHING, lease: lowered(tx, day, keep) };
    });
    if (answer === null) return false;
    // The account had another message of this number: the next one has the last word.
    if (!isApplied(answer.lease)) return true;
    if (isOver) this.#deps.transact(({ stores }) => stores.budget.remove(day));
    return true;
  }

  #dueDays(nowMs: number): readonly Day[] {
    return [...this.#deps.stores.budget.leases.keys()].filter(
      (day) => (this.#dayDueMs(day, nowMs) ?? Infinity) <= nowMs,
    );
  }

  /** A day that is over is reported once none of its calls is in progress; today when its lease ends. */
  #dayDueMs(day: Day, nowMs: number): number | null {
    const { budget, ledger } = this.#deps.stores;
    const lease = budget.leases.get(day);
    if (lease === undefined) return null;
    // The first message was not answered, and the account may have a share of the day.
    if (lease.reportedAtMs === 0) return this.#sending > 0 ? null : nowMs;
    if (day < dayOf(nowMs)) {
      return ledger.pending(day) === 0 ? nowMs : Math.max(nowMs, lease.reportedAtMs) + LATE_MS;
    }
    const { spent, pending } = ledger.use(day);
    if (lease.granted <= spent + pending) return null;
    if (budget.hasTooMuch({ day, spent, pending }))
      return lease.reportedAtMs + GIVE_BACK_MUCH_EVERY_MS;
    return Math.max(lease.deadlineMs, lease.reportedAtMs + GIVE_BACK_EVERY_MS);
  }

  /** One message at a time: the next is numbered only when this one was answered, or given up. */
  #send(draft: (tx: Tx) => Draft | null): Promise<Answered | null> {
    this.#sending += 1;
    const turn = this.#turn
      .then(() => this.#ask(draft))
      .finally(() => {
        this.#sending -= 1;
      });
    this.#turn = turn;
    return turn;
  }

  /** Never rejects: null is no answer, or nothing to ask. */
  async #ask(draft: (tx: Tx) => Draft | null): Promise<Answered | null> {
    const { transact, account, report, wallMs } = this.#deps;
    try {
      const sentMs = wallMs();
      const ask = transact((tx): AccountMessage | null => {
        const drafted = draft(tx);
        if (drafted === null) return null;
        const spent = this.#unleased.toReport(drafted.lease, tx.nowMs);
        const { notice } = tx.stores.budget.account;
        return { ...drafted, ...senderOf(tx.profile), notice, spent };
      });
      if (ask === null) return null;
      const answer = structuredClone(await account().ask(ask));
      if (answer.kind === "over") return null;
      this.#unleased.confirm(ask.spent);
      transact((tx) => {
        tx.stores.budget.applyAnswer(ask, answer, { wallMs: sentMs, nowMs: tx.nowMs });
        seeClosure(tx, answer.view);
      });
      this.#unreachableUntilMs = 0;
      return answer;
    } catch (error) {
      this.#unreachableUntilMs = wallMs() + UNREACHABLE_MS;
      this.#retryAtMs = wallMs() + RETRY_MS;
      report("account_unreachable", error);
      return null;
    }
  }
}

/** What calls that wait lack together. */
function need(
  { stores: { ledger, budget }, profile, nowMs }: Tx,
  missing: readonly Missing[],
): Draft {
  const { available: own } = neuronBalance(ledger.standing(profile), ZERO);
  return {
    lease: budget.need(missing, ledger.use(dayOf(nowMs)), own),
    rates: budget.rates(missing),
    news: budget.account.news,
    probe: missing.some(({ probe }) => probe),
    look: null,
  };
}

/** What a day has, without what it does not use but for `keep`. */
function lowered(
  { stores: { budget, ledger }, nowMs }: Tx,
  day: Day,
  keep: MicroNeurons,
): Draft["lease"] {
  const isBusy = day === dayOf(nowMs) && budget.isBusy(nowMs);
  return budget.report(ledger.use(day), isBusy ? keep : ZERO);
}

const isApplied = (reply: LeaseReply | null): boolean =>
  reply === null || !("stale" in reply || reply.repeated);

/** The sender of a message. */
export const senderOf = (profile: Profile) => ({
  tenant: profile.id,
  generation: profile.generation,
  promised: promisedBy(profile),
});

/** What the account says of the closure holds, unless a call here has learned something since. */
function seeClosure({ stores: { budget, ledger } }: Tx, view: AccountView): void {
  if (budget.account.news !== null || view.notice < budget.account.notice) return;
  ledger.setClosure(view.closure);
}

/**
 * Takes the account's view, and its closure of the day. False: not now. While news of this tenant are
 * on their way, the view may be from before or after them.
 */
function takeView({ stores: { budget, ledger }, nowMs }: Tx, view: AccountView): boolean {
  if (budget.account.news !== null) return false;
  if (budget.see(view, nowMs)) ledger.setClosure(view.closure);
  return true;
}

export const ACCOUNT_OPERATIONS = {
  /**
   * The account's view, sent to this tenant because it would not ask. False: it was not taken, and is to
   * be sent again.
   */
  applyAccountView: ({ transactIfOpen }: TenantContext, view: AccountView): boolean =>
    transactIfOpen((tx) => takeView(tx, view)) ?? true,

  /** The account needs what this tenant has leased of a day and does not use. */
  async giveBack(
    { client, arm }: TenantContext,
    generation: number,
    day: Day,
    keep: MicroNeurons,
  ): Promise<void> {
    await client.giveBack(generation, day, keep);
    await arm();
  },
};
