import { type MicroNeurons, microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../src/domain/ledger/period.ts";
import { type Settings, withDefaults } from "../../src/domain/tenant/settings.ts";
import type { Database } from "../database.ts";

/** The tenant itself: one row. */
export interface Profile {
  readonly id: string;
  /** 1 for the first tenant of that id, then one more after each deletion. */
  readonly generation: number;
  readonly settings: Settings;
  /** Grows with every change of the settings; `If-Match` names it. */
  readonly version: number;
  /** The key of the content hashes, hex: the same content hashes alike only within the tenant. */
  readonly contentSecret: string;
  /** What an earlier generation posted on the day of its deletion: this one continues that day. */
  readonly carried: { readonly day: Day; readonly posted: MicroNeurons };
  /** Being deleted: nothing is admitted, no key opens it. */
  readonly closed: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

type ProfileRow = {
  id: string;
  generation: number;
  settings: string;
  version: number;
  content_secret: string;
  carried_day: number;
  carried: number;
  closed: number;
  created_at_ms: number;
  updated_at_ms: number;
};

export class ProfileStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  read(): Profile | null {
    const row = this.#db.run<ProfileRow>("SELECT * FROM tenant")[0];
    if (row === undefined) return null;
    return {
      id: row.id,
      generation: row.generation,
      // What was stored before a setting was there has its default.
      settings: withDefaults(JSON.parse(row.settings) as Settings),
      version: row.version,
      contentSecret: row.content_secret,
      carried: { day: row.carried_day, posted: microNeurons(row.carried) },
      closed: row.closed === 1,
      createdAtMs: row.created_at_ms,
      updatedAtMs: row.updated_at_ms,
    };
  }

  write(profile: Profile): void {
    this.#db.run(
      `INSERT OR REPLACE INTO tenant (only_row, id, generation, settings, version, content_secret,
        carried_day, carried, closed, created_at_ms, updated_at_ms)
        VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      profile.id,
      profile.generation,
      JSON.stringify(profile.settings),
      profile.version,
      profile.contentSecret,
      profile.carried.day,
      profile.carried.posted,
      profile.closed ? 1 : 0,
      profile.createdAtMs,
      profile.updatedAtMs,
    );
  }
}
