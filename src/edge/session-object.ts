import type { Session } from "../../durable-objects/session/session.ts";
import type { ConflictFailure, FailureKind, LookupFailure } from "../domain/ledger/failure.ts";
import { sessionObjectName } from "../domain/session/session.ts";
import type {
  Generation,
  GenerationCaller,
  GenerationCallFailure,
} from "../generation/generation-call.ts";
import type { Streamed } from "../generation/stream-call.ts";
import type { AskedChat } from "./chat-call.ts";
import { GENERATED } from "./generation-deps.ts";
import { attempt, KEY_USED, TENANT_READ, type UNAVAILABLE } from "./bindings.ts";

// The object of a chat session as routes call it.

/** A message on its way to the session's object, which answers it there. */
export interface SessionMessage {
  /** Its `userId` is not used: the call names the session's person. */
  readonly who: GenerationCaller & { readonly fit: boolean };
  /** `messages` are the new ones alone. */
  readonly chat: AskedChat;
  /** The message's, else the session's: a catalogue id, an alias or `auto`. */
  readonly model: string;
  /** Tokens that the model reads and writes at most; null: not known. */
  readonly windowTokens: number | null;
  readonly defaultMaxTokens: number;
  /** The person that the message names; null: none. */
  readonly person: string | null;
  readonly tenant: string;
  readonly stream: boolean;
}

export type SessionReply =
  | { readonly kind: "answered"; readonly generation: Generation }
  | { readonly kind: "streaming"; readonly stream: Omit<Streamed, "kind" | "ended"> }
  | GenerationCallFailure
  | Extract<ConflictFailure, { kind: "session_busy" }>
  | Extract<LookupFailure, { kind: "not_found" }>;

/** How a message may fail. */
export const SESSION_MESSAGE = [
  ...GENERATED,
  "not_found",
  "session_busy",
] as const satisfies readonly FailureKind[];

/** How a session may fail to begin. */
export const SESSION_CREATE = [
  ...TENANT_READ,
  ...KEY_USED,
  "model_not_allowed",
  "model_not_found",
  "model_retired",
  "unpriced_model",
  "over_limit",
  "rate_limited",
  "storage_full",
] as const satisfies readonly FailureKind[];

type Reply<Method extends keyof Session> = Session[Method] extends (
  ...request: infer Request
) => infer Result
  ? (...request: Request) => Promise<Awaited<Result>>
  : never;

export interface SessionObject {
  readonly create: Reply<"create">;
  readonly read: Reply<"read">;
  readonly listMessages: Reply<"listMessages">;
  message(asked: SessionMessage): Promise<SessionReply>;
}

/** As `attempt`. */
export const callSession = <Result>(
  env: Env,
  {
    tenant,
    id,
    ...how
  }: { readonly tenant: string; readonly id: string; readonly repeats: boolean },
  act: (session: SessionObject) => Promise<Result>,
): Promise<Result | typeof UNAVAILABLE> =>
  attempt(async () => act(env.SESSION.getByName(sessionObjectName(tenant, id))), how);
