import type { Policy } from "../../../src/domain/moderation/policy.ts";
import {
  type Compared,
  compared,
  NOTHING_REPLAYED,
  type PolicyReplay,
  replay,
} from "../../../src/domain/moderation/policy-replay.ts";
import type { Tx } from "../transactions.ts";

/** Rows that one transaction reads: it keeps the tenant's calls waiting for some milliseconds. */
const SCAN = 250;

export interface ReplayRequest {
  readonly name: string;
  /** Null: the version in force. */
  readonly proposed: Policy | null;
  readonly fromMs: number;
  readonly toMs: number;
  /** Verdicts before this id, newest first. */
  readonly before: string | null;
}

export type ReplayPage =
  | {
      readonly kind: "replayed";
      readonly replay: PolicyReplay;
      /** Where to go on; null: these were all. */
      readonly next: string | null;
    }
  | { readonly kind: "not_found"; readonly what: string };

/** A page of the verdicts that a policy has made, judged by the proposed one. */
export function replayPage(tx: Tx, { name, proposed, ...within }: ReplayRequest): ReplayPage {
  const latest = tx.stores.policies.latest(name);
  if (latest === null) return { kind: "not_found", what: "policy" };
  const versions = new Map<number, Compared | null>();
  const against = (version: number): Compared | null => {
    const known = versions.get(version);
    if (known !== undefined) return known;
    const read = tx.stores.policies.read(name, version);
    const both = read === null ? null : compared(read.policy, proposed ?? latest.policy);
    versions.set(version, both);
    return both;
  };
  const { verdicts, next } = tx.stores.verdicts.judgedBy(name, within, SCAN);
  let sofar = NOTHING_REPLAYED;
  for (const verdict of verdicts) {
    const policies = against(verdict.policy.version);
    if (policies !== null) sofar = replay(sofar, verdict, policies);
  }
  return { kind: "replayed", replay: sofar, next };
}
