import { DurableObject } from "cloudflare:workers";
import type {
  ConflictFailure,
  LookupFailure,
  RequestFailure,
} from "../../src/domain/ledger/failure.ts";
import { continuesTurn } from "../../src/domain/session/history.ts";
import {
  expiresAtMs,
  MAX_IN_LINE,
  MOST_WAIT_MS,
  type Session as SessionFacts,
  type SessionTerms,
} from "../../src/domain/session/session.ts";
import { type Database, migrate, objectDatabase } from "../database.ts";
import { failureReporter } from "../report-failure.ts";
import type { Caller, Idempotency } from "../tenant/protocol.ts";
import type { Tenant } from "../tenant/tenant.ts";
import { SESSION_MIGRATIONS } from "./session-schema.ts";
import {
  type MessageRecord,
  SessionStore,
  type StoredMessage,
  type StoredSession,
} from "./session-store.ts";
import { TurnQueue } from "./turn-queue.ts";

/** After this long a session that the tenant's object does not know of is given up. */
const UNLISTED_MS = 60_000;

/** The alarm's wait after a tenant's object that did not answer, or for a message that is being answered. */
const AGAIN_AFTER_MS = 30_000;

/** UTF-8 bytes of all stored messages. Beyond them the oldest turns go, each whole; the last one stays. */
const MAX_STORED_BYTES = 1_048_576;

const NO_SESSION: Extract<LookupFailure, { kind: "not_found" }> = {
  kind: "not_found",
  what: "session",
};

export type SessionBusy = Extract<ConflictFailure, { kind: "session_busy" }>;

export type { MessageRecord, StoredMessage };

export interface NewSession {
  readonly tenant: string;
  readonly id: string;
  readonly caller: Caller;
  readonly requestId: string;
  readonly terms: SessionTerms;
  readonly idempotency: Idempotency | null;
}

/** A session as it is now. */
export interface SessionView {
  readonly kind: "session";
  readonly session: SessionFacts;
  /** Turns that are kept. */
  readonly turns: number;
  /** Messages that are answered or wait. */
  readonly inLine: number;
}

/** What is sent with a message and what becomes of it, for the one that answers it. */
export interface Conversation {
  readonly env: Env;
  readonly waitUntil: (work: Promise<unknown>) => void;
  readonly session: SessionFacts;
  /** What is kept, the oldest first. */
  readonly messages: readonly MessageRecord[];
  /**
   * Adds a call's messages, its answer the last, in one transaction.
   *
   * @returns false: the session has ended meanwhile, and nothing was kept
   */
  readonly keep: (callId: string, messages: readonly StoredMessage[]) => boolean;
}

/** What answers a message. `ended` resolves when nothing of the call runs any more. Never rejects. */
export type Answer = (
  asked: unknown,
  conversation: Conversation,
) => Promise<{ readonly reply: unknown; readonly ended: Promise<void> }>;

/**
 * One chat session. Its messages are answered here, one after the other, so the order of the history is the
 * order of the answers. What is half done is in memory alone: when the object dies, the history is that of
 * the last message that was answered.
 */
export class Session extends DurableObject<Env> {
  readonly #db: Database;
  readonly #store: SessionStore;
  readonly #answer: Answer;
  readonly #queue = new TurnQueue(MAX_IN_LINE, MOST_WAIT_MS);

  constructor(ctx: DurableObjectState, env: Env, outside: { readonly answer: Answer }) {
    super(ctx, env);
    this.#db = objectDatabase(ctx.storage);
    this.#store = new SessionStore(this.#db);
    this.#answer = outside.answer;
    if (this.#store.read() !== null) migrate(this.#db, SESSION_MIGRATIONS);
  }

  /**
   * The object stores itself, with its alarm, before the tenant's object lists it: a session that is listed
   * is always there, and one that could not be listed erases itself. Can be repeated, also for a session
   * that is there.
   *
   * @returns `begun_before`: the idempotency key's session is another one; nothing is left of this one
   */
  async create(asked: NewSession): Promise<SessionView | NotBegun> {
    const { tenant, id, caller, requestId, terms, idempotency } = asked;
    const nowMs = Date.now();
    const isNew = this.#store.read() === null;
    if (isNew) {
      this.#db.transaction(() => {
        migrate(this.#db, SESSION_MIGRATIONS);
        this.#store.insert({ ...terms, id, tenant, createdAtMs: nowMs });
      });
      await this.ctx.storage.setAlarm(nowMs + UNLISTED_MS);
    }
    const { userId, model } = terms;
    const session = { id, userId, model, requestId, idempotency };
    const listed = await this.#tenant(tenant).addSession(caller, session);
    if (listed.kind !== "listed") {
      // A session that was there before this message stays until it is struck off the list.
      if (isNew) await this.erase();
      return listed;
    }
    const stored = this.#store.read();
    if (stored === null) {
      // It was given up meanwhile, and its end may have come there before its beginning.
      await this.#tenant(tenant).endSession(id, false);
      return NO_SESSION;
    }
    this.#store.markListed();
    await this.ctx.storage.setAlarm(expiresAtMs(stored));
    return this.read();
  }

  read(): SessionView | typeof NO_SESSION {
    const session = this.#open();
    if (session === null) return NO_SESSION;
    const turns = this.#store.turnSizes().length;
    return { kind: "session", session: facts(session), turns, inLine: this.#queue.length };
  }

  /** In order, after one of them. */
  listMessages(
    after: number,
    limit: number,
  ):
    | {
        readonly kind: "messages";
        readonly messages: readonly MessageRecord[];
        readonly more: boolean;
      }
    | typeof NO_SESSION {
    if (this.#open() === null) return NO_SESSION;
    const rows = this.#store.list(after, limit + 1);
    return { kind: "messages", messages: rows.slice(0, limit), more: rows.length > limit };
  }

  /**
   * Answers a message when it is its turn. This object does not look into it, nor into its reply.
   *
   * @param sent a `SessionMessage` of the router
   * @returns the reply of what answers; `session_busy` for one message too many, or that waited for too long
   * @throws when what answers threw: the next message has its turn
   */
  async message(sent: unknown): Promise<unknown> {
    if (this.#open() === null) return NO_SESSION;
    const place = this.#queue.join();
    if (place === null || !(await place.turn)) return busy(this.#queue.length);
    try {
      const session = this.#open();
      if (session === null) {
        place.leave();
        return NO_SESSION;
      }
      const { reply, ended } = await this.#answer(sent, {
        env: this.env,
        waitUntil: (work) => this.ctx.waitUntil(work),
        session: facts(session),
        messages: this.#store.list(0, Number.MAX_SAFE_INTEGER),
        keep: (callId, messages) => this.#keep(callId, messages),
      });
      this.ctx.waitUntil(ended.finally(place.leave));
      return reply;
    } catch (error) {
      place.leave();
      throw error;
    }
  }

  /**
   * Nothing of the session is left in this object, and messages in line are refused. Can be repeated.
   *
   * @returns false: a message is still being answered, and its call may not be settled yet
   */
  async erase(): Promise<boolean> {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    return this.#queue.length === 0;
  }

  override async alarm(): Promise<void> {
    const session = this.#store.read();
    if (session === null) {
      await this.erase();
      return;
    }
    const nowMs = Date.now();
    const dueMs = session.listed ? expiresAtMs(session) : session.createdAtMs + UNLISTED_MS;
    if (nowMs < dueMs) return this.ctx.storage.setAlarm(dueMs);
    try {
      if (this.#queue.length > 0) return await this.ctx.storage.setAlarm(nowMs + AGAIN_AFTER_MS);
      // First there: as long as it is listed, it can be found to be erased.
      await this.#tenant(session.tenant).endSession(session.id, session.listed);
      await this.erase();
    } catch (error) {
      reportFailure("session_end_failed", error);
      await this.ctx.storage.setAlarm(Date.now() + AGAIN_AFTER_MS);
    }
  }

  /** Null: there is none, or it is past its end and nothing of it is being answered. */
  #open(): StoredSession | null {
    const session = this.#store.read();
    if (session === null || !session.listed) return null;
    return expiresAtMs(session) <= Date.now() && this.#queue.length === 0 ? null : session;
  }

  #keep(callId: string, messages: readonly StoredMessage[]): boolean {
    return this.#db.transaction(() => {
      const session = this.#store.read();
      if (session === null) return false;
      const last = this.#store.lastTurn();
      const turn = (last ?? 0) + (last !== null && continuesTurn(messages) ? 0 : 1);
      const createdAtMs = Date.now();
      for (const message of messages) {
        this.#store.insertMessage({ turn, callId, message, createdAtMs });
      }
      this.#store.deleteTurnsBefore(this.#firstKept(turn, session));
      this.#store.noteMessage(createdAtMs);
      return true;
    });
  }

  /** The first turn that stays: the last one does in any case. */
  #firstKept(last: number, { maxTurns }: SessionTerms): number {
    let bytes = 0;
    let first = last;
    for (const size of this.#store.turnSizes().toReversed()) {
      bytes += size.bytes;
      if (size.turn < last && bytes > MAX_STORED_BYTES) break;
      first = size.turn;
    }
    return Math.max(first, last - maxTurns + 1);
  }

  #tenant(id: string): TenantOfSessions {
    return this.env.TENANT.getByName(id);
  }
}

/** The tenant's object, as far as its sessions call it. */
interface TenantOfSessions {
  addSession(...request: Parameters<Tenant["addSession"]>): Promise<Listed | NotBegun>;
  endSession(...request: Parameters<Tenant["endSession"]>): Promise<void>;
}

type Added = Awaited<ReturnType<Tenant["addSession"]>>;
type Listed = Extract<Added, { readonly kind: "listed" }>;

/** Why no new session has begun. */
export type NotBegun =
  | Exclude<Added, Listed>
  | Extract<RequestFailure, { kind: "over_limit" }>
  | typeof NO_SESSION;

const busy = (inLine: number): SessionBusy => ({ kind: "session_busy", inLine });

/** Without what only the object needs. */
const facts = ({ listed: _listed, ...session }: StoredSession): SessionFacts => session;

const reportFailure = failureReporter("session");
