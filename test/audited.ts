import { actionOf, type Mount } from "../src/http/mount.ts";

// Which of the platform's routes must leave an act in the audit log: all that change something.

/** They take a body because a query is too small for it, and change nothing. */
const ONLY_READ: ReadonlySet<string> = new Set([
  "POST /admin/tenants/{tenant}/policies/{name}/replay",
]);

export const isAct = (mount: Mount): boolean =>
  mount.auth.kind === "platform" && mount.method !== "GET" && !ONLY_READ.has(actionOf(mount));

interface AppliedState {
  readonly object?: string;
  readonly counts?: Readonly<Record<string, number>>;
  readonly dry_run?: boolean;
}

/** A document that asked for no change, or that was only planned. */
export const changedNothing = (body: AppliedState | null): boolean =>
  (body?.object === "state_apply" && body.dry_run === true) ||
  (body?.object === "applied_state" &&
    (body.dry_run === true ||
      ["create", "update", "suspend", "issue_keys"].every((act) => body.counts?.[act] === 0)));
