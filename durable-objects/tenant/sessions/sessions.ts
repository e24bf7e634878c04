import type {
  LookupFailure,
  RateFailure,
  RequestFailure,
  ServiceFailure,
} from "../../../src/domain/ledger/failure.ts";
import { findFor, type UnfitModel } from "../../../src/domain/generation/plan-generation.ts";
import { AUTO } from "../../../src/domain/generation/routing.ts";
import type { ListedSession } from "../../../src/domain/session/listed-session.ts";
import {
  MAX_SESSIONS,
  MAX_SESSIONS_OF_KEY,
  sessionObjectName,
} from "../../../src/domain/session/session.ts";
import { modelsFor } from "../../../src/domain/tenant/settings.ts";
import { isStorageFull } from "../calls/admit.ts";
import { type KeyUsed, once } from "../calls/once.ts";
import { findPolicy, modelFinder } from "../calls/plan-call.ts";
import type { TenantContext, TenantFeature } from "../feature.ts";
import { takeRequest } from "../ledger/refusals.ts";
import { notFound, pageOf } from "../page.ts";
import { personalData } from "../privacy/personal-data.ts";
import type { Caller, Idempotency } from "../protocol.ts";
import type { Tx } from "../transactions.ts";
import { SESSIONS } from "./session-schema.ts";

// The list of a tenant's chat sessions: who may use them, whom they are of, and that none outlives its
// person or its tenant. Each session is an object of its own, which tells of its beginning and its end.

/** Objects called at once, in one alarm or one step of a deletion. */
const MOST_ERASED = 30;

/** After an object that did not answer. */
const ERASE_RETRY_MS = 10_000;

export const SESSIONS_FEATURE: TenantFeature = {
  name: "sessions",
  tables: [SESSIONS],
  capability: (context) => {
    const { db, sessions } = context.stores;
    return {
      forget: () => sessions.forget(),
      dueMs: () => sessions.firstEraseMs() ?? Infinity,
      dueRows: db.of(SESSIONS),
      isDueByRows: true,
      tend: () => eraseDue(context),
      leave: () => eraseAll(context),
      personal: [
        personalData<"session">({
          name: "sessions",
          find: (person, after) => {
            const { sessions: found, next } = sessions.ofPerson(person, after);
            return { records: found.map((session) => ({ kind: "session", session })), next };
          },
          erase: (_, { session }) => sessions.delete(session.id),
          files: ({ session }) => [{ kind: "session", subject: session.id }],
        }),
      ],
    };
  },
};

/** Sessions that were deleted; true when there are more. */
async function eraseDue(context: TenantContext): Promise<boolean> {
  const due = context.stores.sessions.listToErase(context.wallMs(), MOST_ERASED);
  if (due.length > 0) await erase(context, due);
  return due.length === MOST_ERASED;
}

async function erase(context: TenantContext, due: readonly string[]): Promise<void> {
  const { transact } = context;
  const gone = (await eraseObjects(context, due)).map(({ id }) => id);
  transact((tx) => {
    for (const id of due) {
      if (gone.includes(id)) tx.stores.sessions.delete(id);
      else tx.stores.sessions.eraseAt(id, tx.nowMs + ERASE_RETRY_MS);
    }
  });
}

/** Before the tenant's own object is erased. False: one did not answer. */
async function eraseAll(context: TenantContext): Promise<boolean> {
  const { stores, transact } = context;
  for (;;) {
    const some = stores.sessions.some(MOST_ERASED);
    if (some.length === 0) return true;
    // oxlint-disable-next-line no-await-in-loop -- some after the others
    const gone = await eraseObjects(context, some);
    transact((tx) => gone.forEach(({ id }) => tx.stores.sessions.delete(id)));
    if (gone.length < some.length) return false;
  }
}

/** @returns those of which nothing is left; `isIdle`: no call of a message of it is in progress any more */
export async function eraseObjects(
  { outside, profile }: Pick<TenantContext, "outside" | "profile">,
  ids: readonly string[],
): Promise<readonly { readonly id: string; readonly isIdle: boolean }[]> {
  const tenant = profile()?.id;
  if (tenant === undefined) return [];
  const erased = await Promise.all(
    ids.map((id) =>
      outside
        .session(sessionObjectName(tenant, id))
        .erase()
        .then(
          (isIdle) => [{ id, isIdle }],
          () => [],
        ),
    ),
  );
  return erased.flat();
}

export interface AddSession {
  readonly id: string;
  readonly userId: string | null;
  readonly model: string;
  /** Of the request that begins it. */
  readonly requestId: string;
  readonly idempotency: Idempotency | null;
}

export type AddedSession =
  /** `repeated` is never true: a repeat is answered with `begun_before`. */
  | { readonly kind: "listed"; readonly repeated: false }
  /** An earlier request with this idempotency key began that session. */
  | { readonly kind: "begun_before"; readonly id: string }
  | KeyUsed
  | UnfitModel
  | Extract<RequestFailure, { kind: "over_limit" }>
  | RateFailure
  | Extract<ServiceFailure, { kind: "storage_full" }>;

const CREATE_ROUTE = "POST /v1/sessions";

/**
 * The session's own object asks it; a repeat changes nothing. If an API key that may not use the session
 * sends the same idempotency key and body, that is another request.
 */
function addSession(tx: Tx, request: AddSession): AddedSession {
  const { sessions, keys } = tx.stores;
  const { id, idempotency } = request;
  const lineage = tx.keyId === null ? null : keys.lineageOf(tx.keyId);
  const own = idempotency && {
    ...idempotency,
    fingerprint: `${lineage ?? "platform"} ${idempotency.fingerprint}`,
  };
  return once(
    tx,
    { id, route: CREATE_ROUTE, idempotency: own },
    (known, repeated): AddedSession | null => {
      if (sessions.read(known) === null) return null;
      return repeated ? { kind: "begun_before", id: known } : { kind: "listed", repeated };
    },
    () => listSession(tx, request, lineage),
  );
}

function listSession(
  tx: Tx,
  { id, userId, model, requestId }: AddSession,
  lineage: string | null,
): AddedSession {
  const { sessions } = tx.stores;
  const unusable = unusableModel(tx, model);
  if (unusable !== null) return unusable;
  if (isStorageFull(tx)) return { kind: "storage_full" };
  if (sessions.count() >= MAX_SESSIONS) {
    const detail = `A tenant has at most ${MAX_SESSIONS} sessions at once: delete one, or wait for one to end.`;
    return { kind: "over_limit", detail };
  }
  if (lineage !== null && sessions.countOf(lineage) >= MAX_SESSIONS_OF_KEY) {
    const detail = `A key has at most ${MAX_SESSIONS_OF_KEY} sessions at once, with those of its rotations: delete one, or wait for one to end.`;
    return { kind: "over_limit", detail };
  }
  const refused = takeRequest(tx, { route: CREATE_ROUTE, requestId });
  if (refused !== null) return refused;
  sessions.insert({ id, lineage, userId, model, createdAtMs: tx.nowMs });
  return { kind: "listed", repeated: false };
}

/** Null: it can answer messages now, as far as it is known before they come. */
function unusableModel(tx: Tx, name: string): UnfitModel | null {
  const [id] = modelsFor(tx.profile.settings, name);
  if (id === AUTO) return null;
  const found = findFor(id, "text_generation", modelFinder(tx));
  return found.kind === "found" ? null : found;
}

export type OpenedSession =
  | {
      readonly kind: "opened";
      /** The name for the call: as the message has it, else the session's own. */
      readonly model: string;
      /** Tokens that the model reads and writes at most; null: not known. */
      readonly windowTokens: number | null;
      readonly defaultMaxTokens: number;
    }
  | Extract<LookupFailure, { kind: "not_found" }>;

/** @param asked `model` null: the session's own */
function openSession(
  tx: Tx,
  asked: { readonly id: string; readonly model: string | null },
): OpenedSession {
  const session = usable(tx, asked.id);
  if (session === null) return NO_SESSION;
  const model = asked.model ?? session.model;
  const { default_max_tokens: defaultMaxTokens } = tx.profile.settings;
  return { kind: "opened", model, windowTokens: windowOf(tx, model), defaultMaxTokens };
}

/** Of `auto`: the smallest of its models, since any of them may be picked. */
function windowOf(tx: Tx, name: string): number | null {
  const [id] = modelsFor(tx.profile.settings, name);
  const rules = id === AUTO ? (findPolicy(tx, null)?.policy.routing.rules ?? []) : [];
  const find = modelFinder(tx);
  const windows = (id === AUTO ? rules.flatMap(({ models }) => models) : [id]).flatMap((model) => {
    const found = find(model);
    return found.kind === "found" ? (found.model.contextTokens ?? []) : [];
  });
  return windows.length === 0 ? null : Math.min(...windows);
}

/** A key has the sessions of its own rotations; one of role `manage` has all, and so has the platform. */
function usable(tx: Tx, id: string): ListedSession | null {
  const { sessions, keys } = tx.stores;
  const session = sessions.read(id);
  if (session === null || tx.keyId === null) return session;
  if (keys.read(tx.keyId, tx.nowMs)?.role === "manage") return session;
  return keys.lineageOf(tx.keyId) === session.lineage ? session : null;
}

const NO_SESSION = notFound("session");

export const SESSION_OPERATIONS = {
  addSession: ({ write }: TenantContext, caller: Caller, request: AddSession) =>
    write(caller, (tx) => addSession(tx, request)),

  openSession: (
    { ask }: TenantContext,
    caller: Caller,
    asked: { readonly id: string; readonly model: string | null },
  ) => ask(caller, (tx) => openSession(tx, asked)),

  listSessions: ({ ask }: TenantContext, caller: Caller, before: string | null, limit: number) =>
    ask(caller, ({ stores }) => pageOf(stores.sessions.list(before, limit), limit)),

  /** From now on nobody finds it. Its object is erased at once where it answers, else by the alarm. */
  async removeSession(context: TenantContext, caller: Caller, id: string) {
    const removed = await context.writeAtOnce(caller, (tx) => {
      if (usable(tx, id) === null) return NO_SESSION;
      // By the alarm, should this not come to its end.
      tx.stores.sessions.eraseAt(id, tx.nowMs + ERASE_RETRY_MS);
      return { kind: "removed" as const };
    });
    if (removed.kind === "removed") await erase(context, [id]);
    return removed;
  },

  /**
   * The session is past its end, or could not begin: its object erases itself once this is done.
   *
   * @param begun false: no client has it, so a repeat of its request begins another
   */
  endSession: ({ transact }: TenantContext, id: string, begun: boolean): void => {
    transact(({ stores, nowMs }) => {
      stores.sessions.delete(id);
      if (!begun) stores.idempotency.forgetSubject(CREATE_ROUTE, id, nowMs);
    });
  },
};
