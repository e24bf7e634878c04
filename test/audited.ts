import type { Mount } from "../src/http/mount.ts";
import { pathTemplate } from "../src/http/mount.ts";

// Which of the platform's routes must leave an act in the audit log: all that change something.

/** They take a body to say what is asked for, and change nothing. */
const ONLY_READ: ReadonlySet<string> = new Set([
  "POST /admin/tenants/{tenant}/policies/{name}/replay",
]);

/** As an act is called in the log. */
export const actOf = ({ method, path }: Mount): string => `${method} ${pathTemplate(path)}`;

export const isAct = (mount: Mount): boolean =>
  mount.auth.kind === "platform" && mount.method !== "GET" && !ONLY_READ.has(actOf(mount));

interface AppliedState {
  readonly object?: string;
  readonly counts?: Readonly<Record<string, number>>;
  readonly dry_run?: boolean;
}

/** A document of which there was nothing to do, or that was, or is, only planned. */
export const changedNothing = (body: AppliedState | null): boolean =>
  (body?.object === "state_apply" && body.dry_run === true) ||
  (body?.object === "applied_state" &&
    (body.dry_run === true ||
      ["create", "update", "suspend", "issue_keys"].every((act) => body.counts?.[act] === 0)));
