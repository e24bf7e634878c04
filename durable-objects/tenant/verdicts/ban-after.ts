import { withoutBan } from "../../../src/domain/moderation/advice.ts";
import type { Verdict } from "../../../src/domain/moderation/verdict.ts";
import type { Tx } from "../transactions.ts";

// A policy may advise to ban a person only after so many blocks. Only this object knows a person's
// verdicts, so the advice is decided here, with the count.

const DAY_MS = 86_400_000;

/** The verdict as its policy's `ban_after` has it, before it is stored. */
export function withBanAfter(tx: Tx, verdict: Verdict): Verdict {
  if (!verdict.actions.includes("ban_user")) return verdict;
  const { name, version } = verdict.policy;
  const after = tx.stores.policies.read(name, version)?.policy.ban_after;
  if (after === undefined) return verdict;
  const before =
    verdict.userId === null
      ? 0
      : tx.stores.verdicts.countBlocks(verdict.userId, verdict.createdAtMs - after.days * DAY_MS);
  // Without a person nothing can be counted, and nobody is to be banned.
  const isReached = verdict.userId !== null && before + 1 >= after.blocks;
  return isReached ? verdict : { ...verdict, actions: withoutBan(verdict.actions) };
}
