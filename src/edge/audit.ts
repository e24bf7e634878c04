import type { AuditEntry, AuditDetail } from "../domain/account/audit-entry.ts";
import type { MirrorCaller, PlatformCaller } from "../http/call.ts";
import { newId } from "../http/ids.ts";
import { writeAccount } from "./bindings.ts";

interface Acting {
  readonly requestId: string;
  readonly caller: PlatformCaller | MirrorCaller;
}

/** The entry of an act, on the tenant that the caller names. */
export function newEntry(
  { caller, requestId }: Acting,
  action: string,
  detail: AuditDetail,
): Omit<AuditEntry, "atMs"> {
  const tenant = "tenant" in caller ? caller.tenant : null;
  return { id: newId("evt"), actor: caller.actor, action, tenant, requestId, detail };
}

/**
 * Records an act of the platform in the audit log.
 *
 * @returns false when it could not be recorded: the reply must then not be a success
 */
export async function recordAct(
  call: Acting & { readonly env: Env },
  action: string,
  detail: AuditDetail,
): Promise<boolean> {
  const entry = newEntry(call, action, detail);
  const recorded = await writeAccount(call.env, (account) => account.record(entry));
  return recorded === undefined;
}
