import type { PictureOwner } from "../../../src/domain/generation/stored-picture.ts";
import type {
  LookupFailure,
  RateFailure,
  RequestFailure,
} from "../../../src/domain/ledger/failure.ts";
import {
  MOST_HISTORY_BYTES,
  MOST_RESPONSES,
  responseKey,
} from "../../../src/domain/responses/kept-response.ts";
import { expiresAfter, type TenantContext, type TenantFeature } from "../feature.ts";
import { takeRequest } from "../ledger/refusals.ts";
import { notFound } from "../page.ts";
import { personalData } from "../privacy/personal-data.ts";
import type { Profile } from "../profile-store.ts";
import type { Caller } from "../protocol.ts";
import type { Tx } from "../transactions.ts";
import { ownerOf } from "../verdicts/contents.ts";
import { RESPONSES } from "./response-schema.ts";
import type { ResponseRecord } from "./response-store.ts";

// Responses that are kept: which there are, whose, and what each continues. A response is kept for
// `response_retention_s` after it was made or last continued: then its file and its row go.

/** So much later at most: a tenant is not woken for each response. */
const GRACE_MS = 600_000;

/** In one alarm, and one request to the bucket, which deletes a thousand files at once. */
const MOST_ERASED = 500;

/** A write of the file takes less. */
const LATE_WRITES_MS = 90_000;

/** After a bucket that failed. */
const RETRY_MS = 60_000;

/** The share of the storage limit beyond which no response is kept, as with contents. */
const STORAGE_SHARE = 0.8;

const keptMs = ({ settings }: Profile): number => settings.response_retention_s * 1000;

/** Responses that were used since then are in their time. */
const keptSince = (profile: Profile, nowMs: number): number =>
  keptMs(profile) === 0 ? Number.MAX_SAFE_INTEGER : nowMs - keptMs(profile);

export const RESPONSES_FEATURE: TenantFeature = {
  name: "responses",
  tables: [RESPONSES],
  capability: (context) => {
    const { db, responses } = context.stores;
    let retryMs = 0;
    return {
      dueMs: (_, profile) => {
        const expiresMs = expiresAfter(responses.oldestMs(), keptMs(profile)) ?? Infinity;
        const dueMs = Math.min(expiresMs + GRACE_MS, responses.fileDueMs() ?? Infinity);
        return Math.max(dueMs, retryMs);
      },
      dueRows: db.of(RESPONSES),
      tend: async (profile) => {
        if (context.wallMs() < retryMs) return false;
        const erased = await eraseEnded(context, profile);
        retryMs = erased === "failed" ? context.wallMs() + RETRY_MS : 0;
        return erased === "more";
      },
      personal: [
        personalData<"response">({
          name: "responses",
          find: (person, after) => {
            const { responses: found, next } = responses.ofPerson(person, after);
            return { records: found.map(toPersonal), next };
          },
          erase: ({ nowMs }, { id }) => responses.delete(id, nowMs + LATE_WRITES_MS),
          files: ({ id }) => [{ kind: "response", subject: id }],
        }),
      ],
    };
  },
};

const toPersonal = ({ id, previousId, createdAtMs, bytes }: ResponseRecord) => ({
  kind: "response" as const,
  id,
  previousId,
  createdAtMs,
  bytes,
});

/** Files of responses past their time, and of deleted ones. Without a bucket there are none. */
async function eraseEnded(
  { stores: { responses }, outside, transact, wallMs }: TenantContext,
  profile: Profile,
): Promise<"done" | "more" | "failed"> {
  const nowMs = wallMs();
  const expired = responses.listUsedBefore(keptSince(profile, nowMs), MOST_ERASED);
  const ids = [...expired, ...responses.listDueFiles(nowMs, MOST_ERASED)].slice(0, MOST_ERASED);
  if (ids.length === 0) return "done";
  const keys = ids.map((id) => responseKey(ownerOf(profile), id));
  const isGone = await (outside.bucket()?.delete(keys) ?? Promise.resolve()).then(
    () => true,
    () => false,
  );
  if (!isGone) return "failed";
  transact(({ stores }) => ids.forEach((id) => stores.responses.forget(id)));
  return ids.length === MOST_ERASED ? "more" : "done";
}

/** The responses whose files make the history of a call. */
export interface ResponseHistory {
  readonly kind: "history";
  readonly owner: PictureOwner;
  /** The conversation that is continued, its first response first. */
  readonly chain: readonly string[];
  /** Whose conversation it is: the person that the call or its history names. */
  readonly userId: string | null;
  /** Of all files together. */
  readonly bytes: number;
}

const ROUTE = "POST /v1/responses";

/** A response that is not there, so that its conversation cannot be continued. */
export interface MissingResponse {
  readonly kind: "missing_response";
  readonly id: string;
}

type OverLimit = Extract<RequestFailure, { kind: "over_limit" }>;
type OtherPerson = Extract<RequestFailure, { kind: "invalid_request" }>;

/**
 * A used response is kept for as long as a new one. It is written down only when half of that is over,
 * so that a long conversation does not write all its rows with every turn.
 *
 * A history of a person is that person's: what continues it names the person, so that an erasure finds it.
 *
 * Its files are read before the call is admitted, and for a quote: so a unit of `requests` is taken here.
 *
 * @param request `previousId` null: nothing is continued. `named`: responses whose items are referred to.
 *   `userId` null: the call names no person. `isUse` false: they are read for a quote
 */
function readHistory(
  tx: Tx,
  request: {
    readonly previousId: string | null;
    readonly named: readonly string[];
    readonly userId: string | null;
    readonly isUse: boolean;
    readonly requestId: string;
  },
): ResponseHistory | MissingResponse | OverLimit | OtherPerson | RateFailure {
  const { profile, nowMs, stores } = tx;
  const sinceMs = keptSince(profile, nowMs);
  const most = MOST_RESPONSES[stores.platform.workersPlan];
  const chain: ResponseRecord[] = [];
  for (let id = request.previousId; id !== null;) {
    if (chain.length === most) return tooMany(most);
    const found = stores.responses.read(id, sinceMs);
    if (found === null) return { kind: "missing_response", id };
    chain.unshift(found);
    id = found.previousId;
  }
  const known = new Set(chain.map(({ id }) => id));
  const others = [...new Set(request.named)].filter((id) => !known.has(id));
  if (chain.length + others.length > most) return tooMany(most);
  const all = [...chain];
  for (const id of others) {
    const found = stores.responses.read(id, sinceMs);
    if (found === null) return { kind: "missing_response", id };
    all.push(found);
  }
  const bytes = all.reduce((sofar, one) => sofar + one.bytes, 0);
  if (bytes > MOST_HISTORY_BYTES) return TOO_LARGE;
  const [userId = null, ...otherPersons] = personsOf(request.userId, all);
  if (otherPersons.length > 0) return OTHER_PERSON;
  const { requestId } = request;
  const refused = takeRequest(tx, { route: ROUTE, requestId });
  if (refused !== null) return refused;
  for (const { id, usedAtMs } of request.isUse ? all : []) {
    if (usedAtMs < nowMs - keptMs(profile) / 2) stores.responses.use(id, nowMs);
  }
  return {
    kind: "history",
    owner: ownerOf(profile),
    chain: chain.map(({ id }) => id),
    userId,
    bytes,
  };
}

const personsOf = (
  userId: string | null,
  history: readonly ResponseRecord[],
): readonly string[] => {
  const named = [userId, ...history.map((response) => response.userId)];
  return [...new Set(named.filter((one) => one !== null))];
};

const OTHER_PERSON: OtherPerson = {
  kind: "invalid_request",
  errors: [
    {
      path: ["user"],
      detail:
        "must be the person of the responses that the call continues or refers to, who must be one, or absent",
    },
  ],
};

const tooMany = (most: number): OverLimit => ({
  kind: "over_limit",
  detail: `At most ${most} kept responses make the history of a call: begin a new conversation with the items that matter.`,
});

const TOO_LARGE: OverLimit = {
  kind: "over_limit",
  detail: `At most ${MOST_HISTORY_BYTES} bytes of kept responses make the history of a call: begin a new conversation with the items that matter.`,
};

/** Before the file is written. False: it is not kept. */
function keepResponse(
  { profile, nowMs, stores }: Tx,
  response: Pick<ResponseRecord, "id" | "previousId" | "userId" | "bytes">,
): boolean {
  if (keptMs(profile) === 0) return false;
  if (stores.db.size() > stores.platform.storageLimit * STORAGE_SHARE) return false;
  stores.responses.insert({ ...response, createdAtMs: nowMs, usedAtMs: nowMs });
  return true;
}

type NoResponse = Extract<LookupFailure, { kind: "not_found" }>;

/** Where its file lies. */
export interface FoundResponse {
  readonly kind: "response";
  readonly owner: PictureOwner;
}

const ofResponse = ({ profile, nowMs, stores }: Tx, id: string): FoundResponse | NoResponse =>
  stores.responses.read(id, keptSince(profile, nowMs)) === null
    ? notFound("response")
    : { kind: "response", owner: ownerOf(profile) };

export const RESPONSE_OPERATIONS = {
  readHistory: (
    { write }: TenantContext,
    caller: Caller,
    request: Parameters<typeof readHistory>[1],
  ) => write(caller, (tx) => readHistory(tx, request)),

  /** For a call that was admitted, of that generation. */
  keepResponse: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    response: Parameters<typeof keepResponse>[1],
  ): Promise<boolean> => writeOfGeneration(generation, false, (tx) => keepResponse(tx, response)),

  findResponse: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, (tx) => ofResponse(tx, id)),

  /** From then on nobody finds it. Its file is erased by the caller, and again by the alarm. */
  deleteResponse: ({ write }: TenantContext, caller: Caller, id: string) =>
    write(caller, (tx) => {
      const found = ofResponse(tx, id);
      if (found.kind === "response") tx.stores.responses.delete(id, tx.nowMs + LATE_WRITES_MS);
      return found;
    }),
};
