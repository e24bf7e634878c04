import type { Config } from "../config.ts";
import type { AccessFailure } from "../domain/failure.ts";
import type { KeyCaller, PlatformCaller } from "./call.ts";
import { verifyAdminToken, verifyKey } from "./key-format.ts";
import type { Auth } from "./route.ts";

// Who calls, from the key alone: no object is asked. Every way of not being let in is the same
// failure, so that a stranger learns nothing from it.

const BEARER = /^Bearer +(\S+)$/i;

type InvalidKey = Extract<AccessFailure, { kind: "invalid_key" }>;

export const INVALID_KEY: InvalidKey = { kind: "invalid_key" };

export async function authenticate(
  headers: Headers,
  auth: Auth,
  config: Config,
): Promise<KeyCaller | PlatformCaller | null | InvalidKey> {
  if (auth.kind === "none") return null;
  const token = BEARER.exec(headers.get("authorization")?.trim() ?? "")?.[1];
  if (token === undefined) return INVALID_KEY;
  if (auth.kind === "platform") {
    const valid = await verifyAdminToken(token, config);
    return valid ? { kind: "platform", actor: "platform" } : INVALID_KEY;
  }
  const key = await verifyKey(token, config.keySecrets);
  return key === null ? INVALID_KEY : { kind: "key", ...key, roles: auth.roles };
}
