import type { Config } from "../config.ts";
import type { AccessFailure, LookupFailure } from "../domain/failure.ts";
import type { KeyCaller, LinkCaller, PlatformCaller } from "./call.ts";
import { verifyAdminToken, verifyKey } from "./key-format.ts";
import type { Auth } from "./route.ts";
import { isLink, readLink } from "./signed-link.ts";

// Who calls, from the key alone: no object is asked. Every way of not being let in is the same
// failure, so that a stranger learns nothing from it.

const BEARER = /^Bearer +(\S+)$/i;

type InvalidKey = Extract<AccessFailure, { kind: "invalid_key" }>;

export const INVALID_KEY: InvalidKey = { kind: "invalid_key" };

export async function authenticate(
  { headers, url }: Request,
  auth: Auth,
  config: Config,
): Promise<KeyCaller | PlatformCaller | LinkCaller | null | InvalidKey | NoSuchLink> {
  if (auth.kind === "none") return null;
  if (auth.kind === "key" && auth.orLink !== undefined && !headers.has("authorization")) {
    const link = new URL(url);
    if (isLink(link)) return byLink(link, auth.orLink, config);
  }
  const token = BEARER.exec(headers.get("authorization")?.trim() ?? "")?.[1];
  if (token === undefined) return INVALID_KEY;
  if (auth.kind === "platform") {
    const valid = await verifyAdminToken(token, config);
    return valid ? { kind: "platform", actor: "platform" } : INVALID_KEY;
  }
  const key = await verifyKey(token, config.keySecrets);
  return key === null ? INVALID_KEY : { kind: "key", ...key, roles: auth.roles };
}

type NoSuchLink = Extract<LookupFailure, { kind: "not_found" }>;

/** One that is forged, that has ended, or that names what is gone, is told the same. */
async function byLink(url: URL, what: string, config: Config): Promise<LinkCaller | NoSuchLink> {
  const claim = await readLink(url, config.keySecrets, Date.now());
  if (claim === null) return { kind: "not_found", what };
  const { tenant, life, expiresAtS } = claim;
  return { kind: "link", tenant, life, expiresAtS };
}
