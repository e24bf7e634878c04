import type { Decision, PolicyReplay } from "../api/shapes.ts";

const DECISIONS = ["allow", "flag", "block"] as const;

type Decisions = Readonly<Record<Decision, number>>;

const MOST_EXAMPLES = 50;

const added = (a: Decisions, b: Decisions): Decisions => ({
  allow: a.allow + b.allow,
  flag: a.flag + b.flag,
  block: a.block + b.block,
});

/** Adds up two parts of a replay. The cursor is that of the later part. */
export function together(a: PolicyReplay, b: PolicyReplay): PolicyReplay {
  const by = Object.fromEntries(
    DECISIONS.map((from) => [from, added(a.by[from], b.by[from])]),
  ) as Record<Decision, Decisions>;
  return {
    ...b,
    verdicts: a.verdicts + b.verdicts,
    changed: a.changed + b.changed,
    by,
    examples: [...a.examples, ...b.examples].slice(0, MOST_EXAMPLES),
    agreement: {
      reviewed: a.agreement.reviewed + b.agreement.reviewed,
      current: a.agreement.current + b.agreement.current,
      proposed: a.agreement.proposed + b.agreement.proposed,
    },
    unscorable: { verdicts: a.unscorable.verdicts + b.unscorable.verdicts },
  };
}
