/** Refusals of one minute and kind: the answer to "why was this tenant refused at 14:03?". */
export interface RefusalCount {
  /** Minutes since 1970. */
  readonly minute: number;
  readonly kind: string;
  /** The violated policies, comma-separated; empty for kinds that name none. */
  readonly policy: string;
  readonly count: number;
  readonly detail: RefusalDetail;
}

/** As it stood at the first of them, in µN; null for kinds that do not count neurons. */
export interface RefusalDetail {
  readonly limit: number | null;
  readonly posted: number | null;
  readonly pending: number | null;
  readonly largestRequired: number | null;
  readonly keyIds: readonly string[];
  readonly firstRequestId: string;
  readonly settingsVersion: number;
}
