import { MOST_IN_FLIGHT } from "../../../src/domain/tenant/settings.ts";
import { GroupCommit } from "../../group-commit.ts";
import type { TenantContext } from "../feature.ts";
import type { Profile } from "../profile-store.ts";
import type {
  AdmitReply,
  AdmitRequest,
  Caller,
  QuotedCall,
  SettleReply,
  SettleRequest,
} from "../protocol.ts";
import { type Admission, admit } from "./admit.ts";
import type { ContentHashes } from "./content-hash.ts";
import { MAY_READ, mayRead, type ReadReply, type ReadRequest } from "./may-read.ts";
import { quote } from "./quote.ts";
import { settle } from "./settle.ts";

type Operation =
  | { readonly kind: "admit"; readonly request: AdmitRequest }
  | { readonly kind: "settle"; readonly request: SettleRequest };

/**
 * Admissions that wait for a commit: as many as could be in progress at all, so that a burst which
 * a tenant's settings allow is admitted, and one that they do not takes no more memory. At 128 a
 * commit the last of them waits for eighty.
 */
const MOST_WAITING = MOST_IN_FLIGHT;

/**
 * How often a call asks the account for what others of the same commit took before it: each time some of
 * them get through, and a call that is refused gets its reply at once.
 */
const MOST_ROUNDS = 20;

/** Admissions and settlements of a tenant's object: concurrent ones share commits. */
export class GovernedCalls {
  readonly #context: TenantContext;
  readonly #hashes: ContentHashes;
  readonly #commits: GroupCommit<Operation, Admission | SettleReply>;

  /** @param sync resolves when what was committed is durable */
  constructor(context: TenantContext, hashes: ContentHashes, sync: () => Promise<void>) {
    this.#context = context;
    this.#hashes = hashes;
    this.#commits = new GroupCommit(
      (operations) => this.#commit(operations),
      () => context.arm().then(sync),
    );
  }

  async admit(sent: AdmitRequest): Promise<AdmitReply> {
    const { profile: read, client, stores } = this.#context;
    const profile = read();
    if (profile === null) return { kind: "invalid_key" };
    const request = await this.#withReuseKeys(sent, profile);
    const isFull = this.#commits.waiting + client.waiting >= MOST_WAITING;
    // A repeat of an admission is never turned away: its hold is taken, and the router must know.
    if (isFull && !stores.ledger.has(request.callId)) return { kind: "unavailable" };
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- once more when the account was asked
      const reply = (await this.#commits.run({ kind: "admit", request })) as Admission;
      if (reply.kind !== "needs_lease") return reply;
      // oxlint-disable-next-line no-await-in-loop
      if (!(await client.request(reply.missing))) break;
    }
    return { kind: "unavailable" };
  }

  async settle(request: SettleRequest): Promise<SettleReply> {
    const { profile: read, client, outside } = this.#context;
    const profile = read();
    if (profile === null) {
      return { settlement: { kind: "unknown_hold" }, verdicts: [], standing: null };
    }
    const verdicts = await this.#hashes.keyed(request.verdicts, profile.contentSecret);
    const operation = { kind: "settle" as const, request: { ...request, verdicts } };
    const reply = (await this.#commits.run(operation)) as SettleReply;
    if (request.account !== null) outside.waitUntil(client.tellNews());
    return reply;
  }

  /** Whether a large body is worth reading; nothing is reserved, and it takes no rate. */
  async mayRead(request: ReadRequest): Promise<ReadReply> {
    const { transact, arm } = this.#context;
    const reply = transact((tx) => mayRead(tx, request));
    if (reply === null) return { kind: "invalid_key" };
    // A refusal is counted, and webhooks may tell of it.
    if (reply.kind !== MAY_READ.kind && reply.kind !== "key_ended") await arm();
    return reply;
  }

  /** What such a call would cost; nothing is reserved, and it takes no rate. */
  async quote(caller: Caller, call: QuotedCall) {
    const { ask, client } = this.#context;
    const access = ask(caller, () => null);
    if (access !== null) return access;
    await client.look();
    return ask(caller, (tx) => quote(tx, call));
  }

  #commit(operations: readonly Operation[]): (Admission | SettleReply)[] {
    return this.#context.transactOrThrow((tx) =>
      operations.map((operation) =>
        operation.kind === "admit" ? admit(tx, operation.request) : settle(tx, operation.request),
      ),
    );
  }

  async #withReuseKeys(request: AdmitRequest, profile: Profile): Promise<AdmitRequest> {
    if (request.kind !== "moderation" || request.reuseKeys === undefined) return request;
    const reuseKeys = await this.#hashes.keyedDigests(request.reuseKeys, profile.contentSecret);
    return { ...request, reuseKeys };
  }
}
