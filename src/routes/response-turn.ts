import type { PictureOwner } from "../domain/generation/stored-picture.ts";
import type { RequestFailure } from "../domain/ledger/failure.ts";
import {
  type InputItem,
  responseIdOf,
  responseOfItem,
  type ResponseItem,
} from "../domain/responses/item.ts";
import type { KeptResponse } from "../domain/responses/kept-response.ts";
import type { GenerationCaller } from "../generation/generation-call.ts";
import { readResponse } from "../generation/keep-response.ts";
import { NO_ROOM } from "../http/intake.ts";
import type { FailureOf } from "../http/route.ts";
import type { ResponseBody } from "../api/responses/body.ts";
import {
  type Conversation,
  type PlacedItem,
  toConversation,
} from "../api/responses/conversation.ts";
import { type GivenItem, givenItems } from "../api/responses/input-items.ts";
import { bucketOf, readTenant } from "../edge/bindings.ts";
import type { GenerationRouteCall } from "../edge/generation-deps.ts";
import { fromBucket } from "../edge/picture-deps.ts";

// What a response is asked with: the items of the request, after those of the turns that it continues.

export interface ResponseCall extends GenerationRouteCall {
  readonly body: ResponseBody;
}

/** One turn: what is asked, and what comes before it. */
export interface Turn {
  readonly kind: "turn";
  readonly id: string;
  /** The person that the request names, else the one whose responses it continues. */
  readonly userId: string | null;
  /** Whether it is to be kept. */
  readonly store: boolean;
  /** The caller's items, references resolved. */
  readonly input: readonly InputItem[];
  /** How many items the request has: the output is numbered after them. */
  readonly items: number;
  readonly conversation: Conversation;
  /** Whether a history was read, so that the call's unit of `requests` is taken. */
  readonly requestTaken: boolean;
}

type Misread = Extract<RequestFailure, { kind: "invalid_request" }>;

/** Why a history cannot be read. */
type HistoryFailure = FailureOf<
  | "over_limit"
  | "rate_limited"
  | "unavailable"
  | "not_found"
  | "invalid_key"
  | "tenant_suspended"
  | "role_required"
>;

/**
 * Reads the history, if there is one, and puts the request after it. A history takes a unit of `requests`.
 *
 * @param isUse whether the responses of the history are kept for longer, since they are continued
 */
export async function readTurn(
  call: ResponseCall,
  { callId, userId: sender }: Pick<GenerationCaller, "callId" | "userId">,
  { isUse } = { isUse: true },
): Promise<Turn | Misread | HistoryFailure> {
  const { body } = call;
  const id = responseIdOf(callId);
  const given = givenItems(body.input, id);
  const history = await readHistory(call, given, { userId: sender, isUse });
  if (history.kind !== "items") return history;
  const { userId } = history;
  const known = new Set(history.chain.map((item) => item.id));
  const placed: PlacedItem[] = history.chain.map((item) => ({ item, path: BEFORE }));
  const input: InputItem[] = [];
  for (const one of given) {
    const item = one.kind === "item" ? one.item : history.named.get(one.id);
    if (item === undefined) return missingItem(one.at);
    // What is in the conversation already is not said twice: a reference is short, and an item may be
    // 2 MB. So the items of the history are together no larger than the files that hold them.
    if (one.kind === "reference" && known.has(item.id)) continue;
    known.add(item.id);
    placed.push({ item, path: pathOf(body, one.at) });
    if (item.type !== "reasoning") input.push(item);
  }
  const conversation = toConversation(body.instructions ?? null, placed);
  if (conversation.kind !== "conversation") return conversation;
  const items = typeof body.input === "string" ? 1 : body.input.length;
  const store = body.store && bucketOf(call.env) !== null;
  const requestTaken = history.isRead;
  return { kind: "turn", id, userId, store, input, items, conversation, requestTaken };
}

const BEFORE = ["previous_response_id"] as const;

const pathOf = ({ input }: ResponseBody, at: number): readonly (string | number)[] =>
  typeof input === "string" ? ["input"] : ["input", at];

interface HistoryItems {
  readonly kind: "items";
  /** False: the request has none. */
  readonly isRead: boolean;
  /** Of the conversation that is continued, in order. */
  readonly chain: readonly ResponseItem[];
  /** Those that the request refers to, by their id. */
  readonly named: ReadonlyMap<string, ResponseItem>;
  readonly userId: string | null;
}

async function readHistory(
  call: ResponseCall,
  given: readonly GivenItem[],
  by: { readonly userId: string | null; readonly isUse: boolean },
): Promise<HistoryItems | Misread | HistoryFailure> {
  const previousId = call.body.previous_response_id ?? null;
  const references = given.filter((one) => one.kind === "reference");
  if (previousId === null && references.length === 0) {
    return { kind: "items", isRead: false, chain: [], named: new Map(), userId: by.userId };
  }
  const ofReference = new Map<string, number>();
  for (const { id, at } of references) {
    const named = responseOfItem(id);
    if (named === null) return missingItem(at);
    if (!ofReference.has(named)) ofReference.set(named, at);
  }
  const { requestId } = call;
  const request = { previousId, named: [...ofReference.keys()], ...by, requestId };
  const found = await readTenant(call, (tenant, caller) => tenant.readHistory(caller, request));
  if (found.kind === "missing_response") return missing(found.id, ofReference);
  if (found.kind !== "history") return found;
  if (!(await call.moreRoom(found.bytes * FILE_WEIGHT))) return NO_ROOM;
  const ids = [...new Set([...found.chain, ...request.named])];
  const files = await fromBucket(filesOf(call, found.owner, ids));
  if (!Array.isArray(files)) return files;
  const byId = new Map<string, KeptResponse>();
  for (const [at, id] of ids.entries()) {
    const file = files[at] ?? null;
    if (file === null) return missing(id, ofReference);
    byId.set(id, file);
  }
  const chain = found.chain.flatMap((id) => itemsOf(byId.get(id)));
  const all = [...byId.values()].flatMap((file) => itemsOf(file));
  const named = new Map(all.map((item) => [item.id, item]));
  return { kind: "items", isRead: true, chain, named, userId: found.userId };
}

/** How many bytes of memory a byte of a file takes: itself, its values, and the messages made of them. */
const FILE_WEIGHT = 3;

const itemsOf = (file: KeptResponse | undefined): readonly ResponseItem[] =>
  file === undefined ? [] : [...file.input, ...file.response.output];

async function filesOf(
  { env }: ResponseCall,
  owner: PictureOwner,
  ids: readonly string[],
): Promise<(KeptResponse | null)[]> {
  const bucket = bucketOf(env);
  if (bucket === null) return [];
  return Promise.all(ids.map((id) => readResponse(bucket, owner, id)));
}

const missing = (id: string, ofReference: ReadonlyMap<string, number>): Misread => {
  const at = ofReference.get(id);
  return at === undefined ? MISSING_PREVIOUS : missingItem(at);
};

const MISSING_PREVIOUS: Misread = {
  kind: "invalid_request",
  code: "previous_response_not_found",
  errors: [
    {
      path: ["previous_response_id"],
      detail:
        "must name a response that is kept: this one, or one that it continues, was deleted, is past response_retention_s or was never kept",
    },
  ],
};

const missingItem = (at: number): Misread => ({
  kind: "invalid_request",
  errors: [
    {
      path: ["input", at, "id"],
      detail: "must name an item of a response that is kept: send the item itself",
    },
  ],
});
