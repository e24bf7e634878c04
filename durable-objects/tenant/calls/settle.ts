import type { KeptContent } from "../../../src/domain/moderation/kept-content.ts";
import { closed, isLiftedBy } from "../../../src/domain/account/account-budget.ts";
import type { JournalLine } from "../../../src/domain/ledger/ledger.ts";
import { dayOf } from "../../../src/domain/ledger/period.ts";
import { rateUnits } from "../../../src/domain/moderation/stage.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import { countVerdicts, keptCounts } from "../../../src/domain/ledger/day-totals.ts";
import type { Verdict } from "../../../src/domain/moderation/verdict.ts";
import { limitStatus } from "./call-standing.ts";
import { keepContents } from "../verdicts/contents.ts";
import { noteVerdict } from "../verdicts/moderation-log.ts";
import type { Tx } from "../transactions.ts";
import type { SettleReply, SettleRequest } from "../protocol.ts";
import { noteReusable } from "../verdicts/reuse.ts";
import { recordThreshold } from "../quota-events.ts";
import { giveBackPictures } from "./user-pictures.ts";
import { withoutBan } from "../../../src/domain/moderation/category.ts";

/**
 * Settlement, in one transaction: the hold becomes its line and the verdicts are stored, or neither.
 */
export function settle(tx: Tx, request: SettleRequest): SettleReply {
  const before = tx.stores.ledger.entry(request.callId);
  const { contents = [] } = request;
  const items = {
    stored: request.verdicts.length,
    tests: request.verdicts.filter(({ test }) => test).length,
  };
  const units = before?.kind === "hold" ? rateUnits(before.hold.stages, items) : { requests: 0 };
  const verdictId = request.verdicts.length === 1 ? (request.verdicts[0]?.id ?? null) : null;
  const planned = before?.kind === "hold" ? before.hold.stages : [];
  const counts = keptCounts(countVerdicts(request.verdicts, planned), verdictId);
  const settlement = tx.stores.ledger.settle(tx.profile, request.callId, {
    items: request.items,
    verdictId,
    ...(counts !== undefined && { verdicts: counts }),
  });
  const admittedAtMs = before?.kind === "hold" ? before.hold.admittedAtMs : null;
  noteAccount(tx, { account: request.account, admittedAtMs });
  switch (settlement.kind) {
    case "unknown_hold":
      return { settlement, verdicts: [], standing: null };
    case "settled":
      if (before?.kind === "hold") giveBackPictures(tx, before.hold, request.items);
      if (request.reply !== null) tx.stores.replies.insert(settlement.line, request.reply);
      return stored(tx, { settlement, verdicts: request.verdicts, units, contents });
    case "settled_late": {
      if (request.reply !== null) tx.stores.replies.insert(settlement.line, request.reply);
      // What came late is kept, at the price that the expired hold has paid already.
      const verdicts = request.verdicts.map((verdict, content) =>
        atLinePrices(verdict, settlement.line, content),
      );
      if (verdictId !== null && settlement.line.verdictId === null) {
        tx.stores.journal.nameVerdict(request.callId, verdictId);
      }
      return stored(tx, { settlement, verdicts, units, contents });
    }
    case "already_settled": {
      const verdicts = request.verdicts
        .map(({ id }) => tx.stores.verdicts.read(id))
        .filter((verdict) => verdict !== null);
      return { settlement, verdicts, standing: limitStatus(tx, units) };
    }
  }
}

function stored(
  tx: Tx,
  made: {
    settlement: SettleReply["settlement"];
    verdicts: readonly Verdict[];
    units: RateUnits;
    contents: readonly KeptContent[];
  },
): SettleReply {
  const { settlement, verdicts, units } = made;
  const callId = settlement.kind === "unknown_hold" ? "" : settlement.line.callId;
  const standing = limitStatus(tx, units);
  recordThreshold(tx);
  const dated = verdicts.map((verdict) => ({ ...verdict, createdAtMs: tx.nowMs }));
  for (const { batchId } of dated)
    if (batchId !== null) tx.stores.batches.noteSign(batchId, tx.nowMs);
  let changed = false;
  for (const sent of dated) {
    const verdict = withBanAfter(tx, sent);
    changed ||= verdict !== sent;
    if (!tx.stores.verdicts.insert(verdict, callId)) continue;
    noteReusable(tx, verdict);
    recordVerdict(tx, verdict);
    // The fold of its line may have come before it.
    if (settlement.kind === "settled_late") noteVerdict(tx, verdict);
  }
  keepContents(tx, made.contents);
  if (settlement.kind === "settled" && !changed) return { settlement, verdicts: null, standing };
  // What was stored is not what was sent. And a late settle may be repeated: what the first one stored
  // holds.
  const kept = dated.map((verdict) => tx.stores.verdicts.read(verdict.id) ?? verdict);
  return { settlement, verdicts: kept, standing };
}

function recordVerdict(tx: Tx, { id, decision }: Verdict): void {
  const draft = { type: "moderation.verdict", subject: id, decision, data: null } as const;
  tx.stores.outbox.record(draft, tx.nowMs);
}

/** This tenant knows at once. The account, and through it all others, gets it as news. */
function noteAccount(
  tx: Tx,
  { account, admittedAtMs }: { account: SettleRequest["account"]; admittedAtMs: number | null },
): void {
  if (account === null || admittedAtMs === null) return;
  const day = dayOf(admittedAtMs);
  const { nowMs: learnedAtMs, stores } = tx;
  if (account === "exhausted") {
    stores.ledger.setClosure(closed(stores.ledger.closure(), day, learnedAtMs));
    stores.budget.learn({ kind: "exhausted", day, admittedAtMs, learnedAtMs });
    return;
  }
  const closure = stores.ledger.closure();
  if (closure === null || !isLiftedBy(closure, admittedAtMs)) return;
  stores.ledger.setClosure(null);
  stores.budget.learn({ kind: "answered", day: closure.day, admittedAtMs, learnedAtMs });
}

/** The verdict with its stages at what the line charged for them. */
function atLinePrices(verdict: Verdict, line: JournalLine, content: number): Verdict {
  const items = line.items.filter((item) => item.content === content);
  const stages = verdict.stages.map((stage) => {
    const item = items.find(
      ({ stage: name, input }) => name === stage.name && input === stage.input,
    );
    return item === undefined
      ? stage
      : { ...stage, micro_neurons: item.microNeurons, basis: item.basis };
  });
  const microNeurons = items.reduce((total, item) => total + item.microNeurons, 0);
  return { ...verdict, stages, microNeurons };
}

// A policy may advise to ban a person only after so many blocks. Only this object knows a person's
// verdicts, so the advice is decided here, with the count.

const DAY_MS = 86_400_000;

/** The verdict as its policy's `ban_after` has it, before it is stored. */
function withBanAfter(tx: Tx, verdict: Verdict): Verdict {
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
