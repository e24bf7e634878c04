/** A session as its tenant's list has it: nothing of what was said. */
export interface ListedSession {
  /** `ses_` and a ULID. */
  readonly id: string;
  /** The first key of the rotations of the key that made it; null: the platform made it. */
  readonly lineage: string | null;
  readonly userId: string | null;
  /** For messages that name no model. */
  readonly model: string;
  readonly createdAtMs: number;
}
