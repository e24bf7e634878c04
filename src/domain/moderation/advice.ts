import type { Category } from "./category.ts";
import type { Action, Decision, Reason } from "./verdict.ts";

// What a caller is advised to do about a person, beside what becomes of their content.

/** Who writes so may be in danger: they are offered help, and nobody is to punish them. */
const DISTRESS: readonly Category[] = ["self-harm", "self-harm/intent", "self-harm/instructions"];

/** Of these none is blocked for itself: a cry for help must not vanish. Instructions may be. */
export const NEVER_BLOCKED: readonly Category[] = ["self-harm", "self-harm/intent"];

/** Blocked for one of these, somebody in distress is warned, or banned, all the same. */
const AGAINST_OTHERS: readonly Category[] = [
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "sexual/minors",
];

/** A person should see these first: somebody may be in danger. */
const URGENT: readonly Category[] = [
  ...DISTRESS,
  "harassment/threatening",
  "hate/threatening",
  "sexual/minors",
];

type Because = Pick<Reason, "kind" | "category">;

const isFor = (categories: readonly Category[], { kind, category }: Because): boolean =>
  kind === "score" && category !== null && categories.includes(category);

export const isDistress = (reasons: readonly Because[]): boolean =>
  reasons.some((reason) => isFor(DISTRESS, reason));

export const isUrgent = (reasons: readonly Because[]): boolean =>
  reasons.some((reason) => isFor(URGENT, reason));

/** The same advice, without the ban: a policy may ask for more than one score. */
export const withoutBan = (actions: readonly Action[]): readonly Action[] =>
  actions.map((action) => (action === "ban_user" ? "warn_user" : action));

/** The advice as it was before `withoutBan`. */
export const withBan = (actions: readonly Action[]): readonly Action[] =>
  actions.map((action) => (action === "warn_user" ? "ban_user" : action));

/**
 * @param blocking the reasons that blocked
 * @param ban whether one of them asks for it
 */
export function adviceOf(
  decision: Decision,
  {
    reasons,
    blocking,
    ban,
  }: {
    readonly reasons: readonly Because[];
    readonly blocking: readonly Because[];
    readonly ban: boolean;
  },
): Action[] {
  const help: Action[] = isDistress(reasons) ? ["offer_help"] : [];
  if (decision !== "block") return help;
  const spared = help.length > 0 && !blocking.some((reason) => isFor(AGAINST_OTHERS, reason));
  const sanction: Action[] = spared ? [] : [ban ? "ban_user" : "warn_user"];
  return ["hide_content", ...sanction, ...help];
}
