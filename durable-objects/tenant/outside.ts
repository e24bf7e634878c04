import type { SliceParams } from "../../src/domain/pipelines/run.ts";
import type { BatchParams } from "../../src/domain/moderation/batch.ts";
import type { Platform } from "../../src/domain/tenant/platform.ts";
import type { VectorStores } from "../../src/vectors/vector-stores.ts";
import type { AccountStub } from "./account/account-client.ts";
import type { PlatformEvent } from "../outbox/platform-event-store.ts";

/** The ways from a tenant's object to others. Each is looked up when it is used. */
export interface Outside {
  /** A new stub each time: one that threw is broken. */
  readonly account: () => AccountStub & PlatformEventTaker;
  /** Null: this deployment has no bucket. */
  readonly bucket: () => R2Bucket | null;
  /** The object of a chat session, by its name. */
  readonly session: (name: string) => { erase(): Promise<boolean> };
  /** The Workflow that runs batches; null: this deployment has none. */
  readonly batches: () => Workflow<BatchParams> | null;
  /** The Workflow that runs pipelines; null: as above. */
  readonly pipelines: () => Workflow<SliceParams> | null;
  /** Where vectors of documents are; null: nowhere. */
  readonly vectors: () => VectorStores | null;
  /** To the reports; null: this deployment has none. */
  readonly queue: () => Pick<Queue, "send"> | null;
  /** Deletes some of a generation's rows of the reports. True: there are more; null: no reports. */
  readonly clearReports: (of: Generation) => Promise<boolean | null>;
  /** End users who have a row of their own on a day of the reports. */
  readonly usersADay: () => number;
  /** Keeps the object running until the work is done. */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Logs a failure, without its message. */
  readonly report: (event: string, error: unknown) => void;
}

interface Generation {
  readonly tenant: string;
  readonly generation: number;
}

/** What the Worker hands to a tenant's object: the configuration, and the reports. */
export interface TenantOutside {
  readonly platform: (env: Env) => Platform;
  /** End users who have a row of their own on a day of the reports. */
  readonly usersADay: (env: Env) => number;
  /** As `Outside.clearReports`. @throws when the database does not answer */
  readonly clearReports: (env: Env, of: Generation) => Promise<boolean | null>;
}

/** The `Account` object, as far as events of the platform go to it. */
export interface PlatformEventTaker {
  report(tenant: string, events: readonly PlatformEvent[]): Promise<void>;
}
