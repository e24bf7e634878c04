import type { AccountAnswer, AccountMessage } from "../durable-objects/account/account-protocol.ts";
import type { Random } from "./random.ts";

// Messages between the tenants and the account of a world: they may be late, lost, repeated or out of
// order, and some tenants reach nobody for a while.

/** A message on its way to the account, or its answer on its way back. */
interface Mail {
  readonly ask: AccountMessage;
  readonly answer: AccountAnswer | null;
  /** The promise that waits for the answer; null: nobody waits any more. */
  readonly waits: {
    readonly resolve: (answer: AccountAnswer) => void;
    readonly reject: (error: Error) => void;
  } | null;
}

/** A tenant's latest request for neurons. */
interface Question {
  readonly starts: number;
  readonly atMs: number;
  /** The number of its message. */
  readonly seq: number;
  wasRefused: boolean;
}

/** The shortest time between two requests of one process: after a refusal, and otherwise. */
const ASK_EVERY_REFUSED_MS = 1_000;
const ASK_EVERY_MS = 100;

/** What the mail may use of the world. */
export interface MailSurroundings {
  readonly random: Random;
  readonly nowMs: () => number;
  /** How often the process of a tenant was started. */
  readonly starts: (tenant: string) => number;
  /** Asks the account. */
  readonly ask: (message: AccountMessage) => Promise<AccountAnswer>;
  /** Runs work in the background. */
  readonly later: (work: Promise<unknown>) => void;
  readonly fail: (error: Error) => void;
}

export class PoolMail {
  readonly #around: MailSurroundings;
  readonly #questions = new Map<string, Question>();
  readonly #cutOff = new Set<string>();
  #mail: Mail[] = [];

  constructor(around: MailSurroundings) {
    this.#around = around;
  }

  isCutOff(id: string): boolean {
    return this.#cutOff.has(id);
  }

  cutOrHeal(id: string): void {
    if (!this.#cutOff.delete(id)) this.#cutOff.add(id);
  }

  healAll(): void {
    this.#cutOff.clear();
  }

  send(ask: AccountMessage): Promise<AccountAnswer> {
    if (ask.lease !== null && ask.lease.need !== null) this.#note(ask.tenant, ask.lease.seq);
    if (this.#cutOff.has(ask.tenant)) return cutOff();
    return new Promise((resolve, reject) => {
      this.#mail.push({ ask: structuredClone(ask), answer: null, waits: { resolve, reject } });
    });
  }

  /** Checks that no tenant asks for neurons more often than it may. */
  #note(id: string, seq: number): void {
    const before = this.#questions.get(id);
    const starts = this.#around.starts(id);
    const nowMs = this.#around.nowMs();
    this.#questions.set(id, { starts, atMs: nowMs, seq, wasRefused: false });
    if (before === undefined || before.starts !== starts) return;
    // If the answer could not be stored, the same message is sent again, without the longer pause.
    const wasStored = before.seq < seq;
    const leastMs = before.wasRefused && wasStored ? ASK_EVERY_REFUSED_MS : ASK_EVERY_MS;
    const afterMs = nowMs - before.atMs;
    if (afterMs < leastMs) this.#around.fail(new Error(`${id} asks again after ${afterMs} ms`));
  }

  /** Delivers all messages, in order. */
  exchange(): void {
    for (const mail of this.#mail.splice(0)) this.#arrive(mail);
    for (const mail of this.#mail.splice(0)) this.#arrive(mail);
  }

  /** One message arrives, or its answer. */
  carry(): void {
    const mail = this.#taken();
    if (mail === null) return;
    // The message arrives a second time later, when nobody waits for it.
    if (this.#around.random.chance(0.15)) this.#mail.push({ ...mail, answer: null, waits: null });
    this.#arrive(mail);
  }

  #arrive({ ask, answer, waits }: Mail): void {
    if (answer !== null) {
      const question = this.#questions.get(ask.tenant);
      const isNew = waits !== null && answer.kind === "answered" && ask.lease?.need != null;
      if (question !== undefined && isNew) question.wasRefused = isRefused(answer);
      return waits?.resolve(answer);
    }
    const answered = this.#around.ask(ask);
    this.#around.later(
      answered.then(
        (given) => void this.#mail.push({ ask, waits, answer: given }),
        (error: unknown) => {
          waits?.reject(new Error("the account gave no answer"));
          throw error;
        },
      ),
    );
  }

  /** The sender gives up. The message may still arrive. */
  lose(): void {
    const mail = this.#taken();
    if (mail === null) return;
    mail.waits?.reject(new Error("lost"));
    if (mail.answer === null && this.#around.random.chance(0.5)) {
      this.#mail.push({ ...mail, waits: null });
    }
  }

  #taken(): Mail | null {
    if (this.#mail.length === 0) return null;
    return this.#mail.splice(this.#around.random.integer(0, this.#mail.length - 1), 1)[0] ?? null;
  }
}

const isRefused = ({ lease }: Extract<AccountAnswer, { kind: "answered" }>): boolean =>
  lease !== null && "refused" in lease && lease.refused !== null;

export const cutOff = (): Promise<never> => Promise.reject(new Error("cut off"));
