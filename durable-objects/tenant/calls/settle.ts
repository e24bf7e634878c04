import { closed, isLiftedBy } from "../../../src/domain/account/account-closure.ts";
import type { JournalLine } from "../../../src/domain/ledger/ledger.ts";
import { dayOf } from "../../../src/domain/ledger/period.ts";
import { rateUnits } from "../../../src/domain/moderation/stage.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import { countVerdicts, keptCounts } from "../../../src/domain/moderation/verdict-counts.ts";
import type { Verdict } from "../../../src/domain/moderation/verdict.ts";
import { withBanAfter } from "../verdicts/ban-after.ts";
import { limitStatus } from "./call-standing.ts";
import { keepContents } from "../verdicts/contents.ts";
import type { KeptContent } from "../verdicts/content-store.ts";
import { noteVerdict } from "../verdicts/moderation-log.ts";
import type { TenantStores } from "../stores.ts";
import type { Profile } from "../profile-store.ts";
import type { SettleReply, SettleRequest } from "../protocol.ts";
import { noteReusable } from "../verdicts/reuse.ts";
import { recordThreshold } from "../quota-events.ts";
import { giveBackPictures } from "./user-pictures.ts";

/**
 * Settlement, one step: the hold becomes its line and the verdicts are stored, or neither. Runs
 * inside the object's transaction, after `ledger.begin`.
 */
export function settle(parts: TenantStores, profile: Profile, request: SettleRequest): SettleReply {
  const before = parts.ledger.entry(request.callId);
  const { contents = [] } = request;
  const items = {
    stored: request.verdicts.length,
    tests: request.verdicts.filter(({ test }) => test).length,
  };
  const units = before?.kind === "hold" ? rateUnits(before.hold.stages, items) : { requests: 0 };
  const verdictId = request.verdicts.length === 1 ? (request.verdicts[0]?.id ?? null) : null;
  const planned = before?.kind === "hold" ? before.hold.stages : [];
  const counts = keptCounts(countVerdicts(request.verdicts, planned), verdictId);
  const settlement = parts.ledger.settle(profile, request.callId, {
    items: request.items,
    verdictId,
    ...(counts !== undefined && { verdicts: counts }),
  });
  const admittedAtMs = before?.kind === "hold" ? before.hold.admittedAtMs : null;
  noteAccount(parts, { account: request.account, admittedAtMs });
  switch (settlement.kind) {
    case "unknown_hold":
      return { settlement, verdicts: [], standing: null };
    case "settled":
      if (before?.kind === "hold") giveBackPictures(parts, before.hold, request.items);
      if (request.reply !== null) parts.replies.insert(settlement.line, request.reply);
      return stored(parts, profile, { settlement, verdicts: request.verdicts, units, contents });
    case "settled_late": {
      if (request.reply !== null) parts.replies.insert(settlement.line, request.reply);
      // What came late is kept, at the price that the expired hold has paid already.
      const verdicts = request.verdicts.map((verdict, content) =>
        atLinePrices(verdict, settlement.line, content),
      );
      if (verdictId !== null && settlement.line.verdictId === null) {
        parts.journal.nameVerdict(request.callId, verdictId);
      }
      return stored(parts, profile, { settlement, verdicts, units, contents });
    }
    case "already_settled": {
      const verdicts = request.verdicts
        .map(({ id }) => parts.verdicts.read(id))
        .filter((verdict) => verdict !== null);
      return { settlement, verdicts, standing: limitStatus(parts, profile, units) };
    }
  }
}

function stored(
  parts: TenantStores,
  profile: Profile,
  made: {
    settlement: SettleReply["settlement"];
    verdicts: readonly Verdict[];
    units: RateUnits;
    contents: readonly KeptContent[];
  },
): SettleReply {
  const { settlement, verdicts, units } = made;
  const callId = settlement.kind === "unknown_hold" ? "" : settlement.line.callId;
  const standing = limitStatus(parts, profile, units);
  recordThreshold(parts, profile);
  const dated = verdicts.map((verdict) => ({ ...verdict, createdAtMs: standing.nowMs }));
  for (const { batchId } of dated)
    if (batchId !== null) parts.batches.hear(batchId, standing.nowMs);
  let changed = false;
  for (const sent of dated) {
    const verdict = withBanAfter(parts, sent);
    changed ||= verdict !== sent;
    if (!parts.verdicts.insert(verdict, callId)) continue;
    noteReusable(parts, verdict);
    tellOfVerdict(parts, verdict, standing.nowMs);
    // The fold of its line may have come before it.
    if (settlement.kind === "settled_late") noteVerdict(parts, profile, verdict);
  }
  keepContents(parts, profile, made.contents, standing.nowMs);
  if (settlement.kind === "settled" && !changed) return { settlement, verdicts: null, standing };
  // What was stored is not what was sent. And a late settle may be repeated: what the first one stored
  // holds.
  const kept = dated.map((verdict) => parts.verdicts.read(verdict.id) ?? verdict);
  return { settlement, verdicts: kept, standing };
}

const tellOfVerdict = (parts: TenantStores, { id, decision }: Verdict, nowMs: number): void =>
  parts.outbox.record({ type: "moderation.verdict", subject: id, decision, data: null }, nowMs);

/** This tenant knows at once; the account, and by it all others, as soon as it is told. */
function noteAccount(
  parts: TenantStores,
  { account, admittedAtMs }: { account: SettleRequest["account"]; admittedAtMs: number | null },
): void {
  if (account === null || admittedAtMs === null) return;
  const day = dayOf(admittedAtMs);
  const learnedAtMs = parts.ledger.nowMs;
  if (account === "exhausted") {
    parts.ledger.setClosure(closed(parts.ledger.closure(), day, learnedAtMs));
    parts.budget.learn({ kind: "exhausted", day, admittedAtMs, learnedAtMs });
    return;
  }
  const closure = parts.ledger.closure();
  if (closure === null || !isLiftedBy(closure, admittedAtMs)) return;
  parts.ledger.setClosure(null);
  parts.budget.learn({ kind: "answered", day: closure.day, admittedAtMs, learnedAtMs });
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
