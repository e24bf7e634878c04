import type { Day } from "../ledger/period.ts";
import type { Role } from "./role.ts";

export interface Key {
  readonly id: string;
  readonly name: string | null;
  readonly role: Role;
  /** The first four characters of the secret, to tell keys apart. */
  readonly prefix: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly lastUsedDay: Day | null;
}
