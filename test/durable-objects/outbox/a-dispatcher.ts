import { env, runInDurableObject } from "cloudflare:test";
import type { Webhook } from "../../../src/domain/webhooks/webhook.ts";
import { type Database, objectDatabase, type SqlValue } from "../../../durable-objects/database.ts";
import type { Attempted } from "../../../durable-objects/outbox/attempt.ts";
import { Dispatcher } from "../../../durable-objects/outbox/dispatcher.ts";
import type { EventObject } from "../../../src/domain/webhooks/event-object.ts";
import { Outbox } from "../../../durable-objects/outbox/outbox.ts";
import {
  DELIVERY_RATES,
  MESSAGE_SCHEDULES,
  OUTBOX_TABLES,
} from "../../../durable-objects/outbox/outbox-schema.ts";
import {
  type AttemptError,
  type DeliveryControl,
  WELL,
} from "../../../src/domain/webhooks/delivery.ts";
import {
  NO_EVENT,
  EVENT_TYPES,
  EXHAUSTED_EVENT,
  type RecordedEvent,
} from "../../../src/domain/webhooks/event.ts";

// A dispatcher over a real object's storage, whose endpoints and whose time are the test's: days pass in
// seconds, and each attempt is seen.

export const START = Date.UTC(2036, 10, 20, 14);
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

const TIMEOUT = 15 * SECOND;

export interface Answer {
  readonly afterMs?: number;
  readonly status?: number | null;
  readonly error?: AttemptError | null;
  readonly notBeforeMs?: number;
  readonly control?: DeliveryControl;
  readonly reply?: string;
  readonly notMade?: true;
}

/** What an endpoint does with the n-th attempt that it sees. */
export type Endpoint = (event: EventObject, n: number) => Answer;

export const ok: Endpoint = () => ({});
export const failing: Endpoint = () => ({ status: 500, error: "http_status" });
export const hanging: Endpoint = () => ({ afterMs: TIMEOUT, status: null, error: "timeout" });

export interface Seen {
  readonly url: string;
  readonly eventId: string;
  readonly atMs: number;
  readonly secrets: readonly string[];
  readonly error: AttemptError | null;
}

/** More turns of promises than any work of the dispatcher has. A timer instead would cost a millisecond. */
const TURNS = 100;

async function allThatNeedsNoTime(): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one turn each
  for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
}

export class World {
  nowMs = START;
  readonly db: Database;
  outbox: Outbox;
  dispatcher: Dispatcher;
  readonly endpoints = new Map<string, Endpoint>();
  readonly seen: Seen[] = [];
  /** How many of them each address has seen. */
  readonly #asked = new Map<string, number>();
  inFlight = 0;
  mostInFlight = 0;
  mostAMinute = 600;
  readonly errors: unknown[] = [];
  #timers: { readonly atMs: number; readonly ring: () => void }[] = [];
  #slot = 0;
  readonly #statements: string[] = [];

  constructor(db: Database) {
    this.db = {
      ...db,
      run: <Row extends Record<string, SqlValue>>(statement: string, ...values: SqlValue[]) => {
        this.#statements.push(statement);
        return db.run<Row>(statement, ...values);
      },
    };
    for (const statement of [...OUTBOX_TABLES, ...DELIVERY_RATES, ...MESSAGE_SCHEDULES])
      db.run(statement);
    [this.outbox, this.dispatcher] = this.#begin();
  }

  /** As after a crash: nothing in memory is left, nor what was in flight. */
  restart(): void {
    this.#timers = [];
    this.inFlight = 0;
    [this.outbox, this.dispatcher] = this.#begin();
  }

  add(endpoint: Endpoint, fields: Partial<Webhook> = {}): Webhook {
    this.#slot += 1;
    const id = `whk_${String(this.#slot).padStart(26, "0")}`;
    const webhook: Webhook = {
      id,
      slot: this.#slot,
      url: `https://receiver-${this.#slot}.dev/`,
      description: null,
      events: EVENT_TYPES.filter((type) => type !== EXHAUSTED_EVENT),
      decisions: null,
      enabled: true,
      disabledReason: null,
      secret: `secret of ${id}`,
      oldSecret: null,
      cursor: NO_EVENT,
      ahead: "",
      replay: null,
      ordered: false,
      ...WELL,
      lastTryAtMs: 0,
      sent: [],
      createdAtMs: this.nowMs,
      updatedAtMs: this.nowMs,
      ...fields,
    };
    this.outbox.webhooks.write(webhook);
    this.endpoints.set(webhook.url, endpoint);
    return webhook;
  }

  /** Something happens, and is there to be told at once. */
  happen(type: RecordedEvent["type"] = "moderation.review", subject: string | null = null): string {
    const data = subject === null ? { object: "anything", n: this.seen.length } : null;
    this.db.transaction(() =>
      this.outbox.record({ type, subject, decision: null, data }, this.nowMs),
    );
    if (this.dispatcher.isBusy) this.dispatcher.wake();
    return this.outbox.events.last();
  }

  of(webhook: Webhook): Webhook {
    const found = this.outbox.webhooks.find(webhook.id);
    if (found === null) throw new Error("no such endpoint");
    return found;
  }

  attemptsAt({ url }: Webhook): Seen[] {
    return this.seen.filter((attempt) => attempt.url === url);
  }

  /** The events that it has accepted, in the order in which it did, repeats too. */
  acceptedBy(webhook: Webhook): string[] {
    return this.attemptsAt(webhook)
      .filter(({ error }) => error === null)
      .map(({ eventId }) => eventId);
  }

  /** Time passes, with the alarm ringing whenever it is due. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.nowMs + durationMs;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- until nothing moves without time
      await allThatNeedsNoTime();
      // The object's alarm waits for what is being delivered, and rings for nothing else.
      const alarmMs = this.dispatcher.isBusy ? null : this.dispatcher.nextDueMs();
      const dueMs = alarmMs ?? Number.MAX_SAFE_INTEGER;
      const nextMs = Math.min(dueMs, ...this.#timers.map(({ atMs }) => atMs));
      if (nextMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      const ringing = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
      this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
      for (const { ring } of ringing) ring();
      if (dueMs <= this.nowMs) this.dispatcher.wake();
    }
    this.nowMs = endMs;
  }

  /** How often a statement ran that begins so. */
  ran(beginning: string): number {
    return this.#statements.filter((statement) => statement.startsWith(beginning)).length;
  }

  count(table: string): number {
    return Number(this.db.run(`SELECT COUNT(*) AS n FROM ${table}`)[0]?.["n"]);
  }

  #begin(): [Outbox, Dispatcher] {
    const outbox = new Outbox(this.db, (_, subject) =>
      subject === "gone" ? null : { object: "verdict", id: subject },
    );
    const dispatcher = new Dispatcher(outbox, {
      transact: (work) => this.db.transaction(() => work(this.nowMs)),
      wallMs: () => this.nowMs,
      attempt: ({ url, secrets }, { body }) => this.#attempt(url, secrets, body),
      mostAMinute: () => this.mostAMinute,
      random: () => 0,
      timer: (afterMs, ring) => {
        const timer = { atMs: this.nowMs + afterMs, ring };
        this.#timers.push(timer);
        return () => (this.#timers = this.#timers.filter((one) => one !== timer));
      },
      onRest: () => undefined,
      report: (error) => this.errors.push(error),
    });
    return [outbox, dispatcher];
  }

  async #attempt(url: string, secrets: readonly string[], body: string): Promise<Attempted> {
    const event = JSON.parse(body) as EventObject;
    const endpoint = this.endpoints.get(url);
    if (endpoint === undefined) throw new Error(`nobody is at ${url}`);
    const n = this.#asked.get(url) ?? 0;
    const { afterMs = 20, status = 200, error = null, ...rest } = endpoint(event, n);
    const atMs = this.nowMs;
    if (rest.notMade) return { kind: "not_made" };
    this.seen.push({ url, eventId: event.id, atMs, secrets, error });
    this.#asked.set(url, n + 1);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    await new Promise<void>((ring) => this.#timers.push({ atMs: atMs + afterMs, ring }));
    this.inFlight -= 1;
    const attempt = { atMs, status, error, latencyMs: afterMs, reply: rest.reply ?? null };
    const { notBeforeMs = null, control = null } = rest;
    return { kind: "attempted", attempt, notBeforeMs, control };
  }
}

let worlds = 0;

/** Runs a test inside an object that nobody else knows. */
export async function inWorld(test: (world: World) => Promise<void>): Promise<void> {
  worlds += 1;
  const stub = env.TENANT.getByName(`world-${worlds}-${crypto.randomUUID()}`);
  await runInDurableObject(stub, async (_, { storage }) =>
    test(new World(objectDatabase(storage))),
  );
}
