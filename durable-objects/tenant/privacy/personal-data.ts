import type { Erased } from "../../../src/domain/tenant/erasure.ts";
import type { PersonalRecord } from "../../../src/domain/tenant/personal-record.ts";
import type { Tx } from "../transactions.ts";
import type { PersonalFile } from "./erasure-store.ts";

/** A store that holds data of persons: an export reads it, an erasure deletes it. */
export interface PersonalData<Kind extends PersonalRecord["kind"]> {
  readonly name: Erased;
  /** A page after a place in the store; looks at a bounded number of rows. */
  find(person: string, after: string): Page<Extract<PersonalRecord, { kind: Kind }>>;
  erase(tx: Tx, record: Extract<PersonalRecord, { kind: Kind }>, person: string): void;
  /** Files outside the object that are looked through whole, after everything in it. */
  everywhere?(): readonly PersonalFile[];
  /** Files outside the object that an erased record names. */
  files?(record: Extract<PersonalRecord, { kind: Kind }>): readonly PersonalFile[];
}

interface Page<Found> {
  readonly records: readonly Found[];
  readonly next: string | null;
}

/** Entries of several kinds in one list: a record that `find` gives is one that `erase` takes. */
export type AnyPersonalData = PersonalData<PersonalRecord["kind"]>;

export const personalData = <Kind extends PersonalRecord["kind"]>(
  data: PersonalData<Kind>,
): AnyPersonalData => data as unknown as AnyPersonalData;
