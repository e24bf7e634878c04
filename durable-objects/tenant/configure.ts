import type { ConflictFailure, RequestFailure } from "../../src/domain/ledger/failure.ts";
import type { MicroNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../src/domain/ledger/period.ts";
import { DEFAULT_POLICY_NAME } from "../../src/domain/moderation/policy.ts";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import {
  patched,
  type Settings,
  type SettingsPatch,
  settingsErrors,
} from "../../src/domain/tenant/settings.ts";
import type { TenantStores } from "./stores.ts";
import type { Profile } from "./profile-store.ts";
import type { Transactions } from "./transactions.ts";
import { CORE } from "./tenant-schema.ts";

/** What the `Account` object knows of a tenant that is made. */
export interface Birth {
  readonly id: string;
  readonly generation: number;
  readonly carried: { readonly day: Day; readonly posted: MicroNeurons };
  /** 32 random bytes, hex: the key of this tenant's content hashes. */
  readonly contentSecret: string;
}

export type SettingsChange =
  | { readonly kind: "replace"; readonly settings: Settings }
  | { readonly kind: "patch"; readonly patch: SettingsPatch };

export type Configured =
  | { readonly kind: "configured"; readonly profile: Profile; readonly created: boolean }
  | RefusedSettings
  | Extract<ConflictFailure, { kind: "version_conflict" }>;

type RefusedSettings = Extract<RequestFailure, { kind: "invalid_request" }>;

/** Settings that do not hold together, with each field that is wrong; null: they do. */
export function refusedSettings(settings: Settings): RefusedSettings | null {
  const errors = settingsErrors(settings);
  return errors.length === 0 ? null : { kind: "invalid_request", errors };
}

/** Makes the core's tables, the settings and the default policy of a tenant that is not there yet. */
export function create(
  stores: TenantStores,
  transactions: Transactions,
  { birth, settings, wallMs }: { birth: Birth; settings: Settings; wallMs: number },
): Configured {
  const profile: Profile = {
    ...birth,
    settings,
    version: 1,
    closed: false,
    createdAtMs: wallMs,
    updatedAtMs: wallMs,
  };
  stores.db.transaction(() => {
    stores.db.ensure(CORE);
    const policy = defaultPolicy(stores.platform.inference);
    transactions.writeProfile(profile);
    stores.policies.insert({ name: DEFAULT_POLICY_NAME, version: 1, policy }, wallMs);
  });
  return { kind: "configured", profile, created: true };
}

/** A change takes effect with the next call; nothing that was posted is re-priced. */
export function change(
  transactions: Transactions,
  profile: Profile,
  request: { readonly change: SettingsChange; readonly ifMatch: number | null },
): Configured {
  if (request.ifMatch !== null && request.ifMatch !== profile.version) {
    return { kind: "version_conflict", version: profile.version };
  }
  return transactions.run(profile, ({ nowMs }) => {
    const { change: what } = request;
    const settings =
      what.kind === "replace" ? what.settings : patched(profile.settings, what.patch);
    const refused = refusedSettings(settings);
    if (refused !== null) return refused;
    const next = { ...profile, settings, version: profile.version + 1, updatedAtMs: nowMs };
    transactions.writeProfile(next);
    return { kind: "configured", profile: next, created: false };
  });
}
