import type { BatchParams } from "../../src/domain/moderation/batch.ts";
import type { AccountStub } from "./account/account-client.ts";
import type { PlatformEvent } from "../outbox/platform-event-store.ts";

/** The ways from a tenant's object to others. Each is looked up when it is used. */
export interface Outside {
  /** A new stub each time: one that threw is broken. */
  readonly account: () => AccountStub & PlatformEventTaker;
  /** Null: this deployment has no bucket. */
  readonly bucket: () => R2Bucket | null;
  /** The Workflow that runs batches; null: this deployment has none. */
  readonly batches: () => Workflow<BatchParams> | null;
  /** To the reports; null: this deployment has none. */
  readonly queue: () => Pick<Queue, "send"> | null;
  /** Work with the database of reports; null: this deployment has none. */
  readonly reports: <Result>(
    work: (database: D1Database) => Promise<Result>,
  ) => Promise<Result | null>;
  /** End users who have a row of their own on a day of the reports. */
  readonly usersADay: () => number;
  /** Keeps the object running until the work is done. */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Logs a failure, without its message. */
  readonly report: (event: string, error: unknown) => void;
}

/** The `Account` object, as far as events of the platform go to it. */
export interface PlatformEventTaker {
  report(tenant: string, events: readonly PlatformEvent[]): Promise<void>;
}
