/** A picture of a content item, as far as it was kept. */
export interface KeptPicture {
  readonly contentType: string;
  readonly bytes: number;
  /** Whether its bytes lie in the bucket. */
  readonly kept: boolean;
}

/** What of a content may lie in the bucket. */
export interface KeptFiles {
  readonly verdictId: string;
  /** In the order of the content's pictures; null: it never came. */
  readonly pictures: readonly (KeptPicture | null)[];
}

/** What was moderated, kept for people to see. */
export interface KeptContent extends KeptFiles {
  readonly text: string | null;
}

export interface ContentRead {
  /** In order of time. */
  readonly id: string;
  readonly atMs: number;
  /** Null: the platform. */
  readonly keyId: string | null;
  readonly requestId: string;
  readonly verdictId: string;
}
