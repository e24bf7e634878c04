import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Feature, FeatureDatabase } from "../../durable-objects/database.ts";
import {
  expiresAfter,
  expiry,
  PURGE_ROWS,
  type TenantFeature,
} from "../../durable-objects/tenant/feature.ts";
import { TENANT_FEATURES } from "../../durable-objects/tenant/features.ts";
import { OPERATIONS } from "../../durable-objects/tenant/operations.ts";
import type { AnyPersonalData } from "../../durable-objects/tenant/privacy/personal-data.ts";
import { TenantNode } from "../../durable-objects/tenant/tenant-node.ts";
import type { Tx } from "../../durable-objects/tenant/transactions.ts";
import { ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { hostOn } from "./a-node.ts";
import {
  cleanUp,
  DAY_MS,
  HOUR,
  inTenant,
  MINUTE,
  NOW,
  PLATFORM,
  settingsOf,
  stopClock,
} from "./a-tenant.ts";

// A feature that only this test knows: notes about persons, each with a reminder. It is one value, and a
// line in the list that the node is given. The node then makes its table, wakes for it, purges it,
// exports it and erases it.

beforeEach(() => stopClock());
afterEach(cleanUp);

const KEPT_MS = 10 * DAY_MS;

type Note = { id: string; person: string; remind_at_ms: number | null; made_at_ms: number };

const NOTES: Feature = {
  name: "notes",
  migrations: [
    {
      name: "notes",
      statements: [
        `CREATE TABLE notes (id TEXT PRIMARY KEY, person TEXT NOT NULL, remind_at_ms INTEGER,
          made_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
      ],
    },
  ],
  isReleased: false,
};

class NoteStore {
  readonly #db: FeatureDatabase;
  #count: number | null = null;

  constructor(db: FeatureDatabase) {
    this.#db = db;
  }

  forget(): void {
    this.#count = null;
  }

  /** Kept in memory. */
  get count(): number {
    this.#count ??= this.#db.run("SELECT id FROM notes").length;
    return this.#count;
  }

  insert({ id, person, remind_at_ms, made_at_ms }: Note): void {
    this.#count = this.count + 1;
    const values = [id, person, remind_at_ms, made_at_ms];
    this.#db.run("INSERT INTO notes VALUES (?, ?, ?, ?)", ...values);
  }

  ofPerson(person: string): Note[] {
    return this.#db.run<Note>("SELECT * FROM notes WHERE person = ?", person);
  }

  delete(id: string): void {
    this.#count = null;
    this.#db.run("DELETE FROM notes WHERE id = ?", id);
  }

  remindUntil(nowMs: number): void {
    this.#db.run("UPDATE notes SET remind_at_ms = NULL WHERE remind_at_ms <= ?", nowMs);
  }

  first(column: "remind_at_ms" | "made_at_ms"): number | null {
    const [row] = this.#db.run<{ at: number | null }>(`SELECT MIN(${column}) AS at FROM notes`);
    return row?.at ?? null;
  }

  purge(beforeMs: number, limit: number): boolean {
    const old = this.#db.run<Note>(
      "SELECT * FROM notes WHERE made_at_ms < ? LIMIT ?",
      beforeMs,
      limit,
    );
    for (const { id } of old) this.delete(id);
    return old.length === limit;
  }
}

/** The feature, and its store for the operations. */
function notesFeature() {
  const stores: NoteStore[] = [];
  const feature: TenantFeature = {
    name: "notes",
    tables: [NOTES],
    capability: ({ stores: { db }, transact }) => {
      const notes = new NoteStore(db.of(NOTES));
      stores.push(notes);
      return {
        forget: () => notes.forget(),
        purge: ({ nowMs }) => notes.purge(nowMs - KEPT_MS, PURGE_ROWS),
        expiries: [expiry(db.of(NOTES), () => expiresAfter(notes.first("made_at_ms"), KEPT_MS))],
        dueMs: () => notes.first("remind_at_ms") ?? Infinity,
        dueRows: db.of(NOTES),
        isDueByRows: true,
        tend: async () => {
          transact(({ nowMs }) => notes.remindUntil(nowMs));
          return false;
        },
        personal: [
          {
            name: "notes",
            find: (person: string) => ({
              records: notes.ofPerson(person).map((note) => ({ kind: "note", note })),
              next: null,
            }),
            erase: (_: Tx, { note }: { note: Note }) => notes.delete(note.id),
          } as unknown as AnyPersonalData,
        ],
      };
    },
  };
  const notes = (): NoteStore => {
    const [store] = stores;
    if (store === undefined) throw new Error("the node made no feature");
    return store;
  };
  return { feature, notes };
}

interface Inside {
  readonly node: TenantNode;
  readonly notes: NoteStore;
  readonly storage: DurableObjectStorage;
  /** For when the alarm was set, the latest last. */
  readonly armed: readonly number[];
}

const withNotes = (look: (inside: Inside) => Promise<void>): Promise<void> =>
  inTenant("noted", async ({ storage }) => {
    const { feature, notes } = notesFeature();
    const armed: number[] = [];
    const node = new TenantNode({
      ...hostOn(storage),
      features: [...TENANT_FEATURES, feature],
      alarm: {
        read: () => Promise.resolve(null),
        set: async (atMs) => void armed.push(atMs),
      },
    });
    await node.configure({
      birth: {
        id: "noted",
        generation: 1,
        carried: { day: 0, posted: ZERO },
        contentSecret: "00".repeat(32),
      },
      change: { kind: "replace", settings: settingsOf({}) },
      ifMatch: null,
    });
    await look({ node, notes: notes(), storage, armed });
  });

const note = (change: Partial<Note> = {}): Note => ({
  id: "note_1",
  person: "ada",
  remind_at_ms: null,
  made_at_ms: Date.now(),
  ...change,
});

const tables = ({ sql }: DurableObjectStorage) =>
  sql
    .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
    .toArray()
    .map(({ name }) => name);

it("has its table with its first row, and not before", () =>
  withNotes(async ({ node, notes, storage }) => {
    expect(tables(storage)).not.toContain("notes");
    expect(notes.count).toBe(0);
    await node.write(PLATFORM, () => notes.insert(note()));
    expect(tables(storage)).toContain("notes");
    expect(notes.count).toBe(1);
  }));

it("forgets what a transaction that was rolled back has told its memory", () =>
  withNotes(async ({ node, notes }) => {
    await node.write(PLATFORM, () => notes.insert(note()));
    const failing = () =>
      node.transact(() => {
        notes.insert(note({ id: "note_2" }));
        expect(notes.count).toBe(2);
        throw new Error("a bug");
      });
    expect(failing).toThrow("a bug");
    expect(notes.count).toBe(1);
  }));

it("is woken for its work", () =>
  withNotes(async ({ node, notes, armed }) => {
    await node.write(PLATFORM, () => notes.insert(note({ remind_at_ms: NOW + HOUR })));
    expect(armed.at(-1)).toBe(NOW + HOUR);
    vi.setSystemTime(NOW + HOUR);
    await node.alarm();
    expect(notes.first("remind_at_ms")).toBeNull();
    expect(notes.count).toBe(1);
    // From then on there is only its retention to wait for.
    expect(armed.at(-1)).toBeGreaterThan(NOW + KEPT_MS);
  }));

it("is purged when its retention has passed, and woken for that", () =>
  withNotes(async ({ node, notes, armed }) => {
    await node.write(PLATFORM, () => notes.insert(note()));
    const dueMs = armed.at(-1) ?? 0;
    expect(dueMs).toBeGreaterThan(NOW + KEPT_MS);
    expect(dueMs).toBeLessThan(NOW + KEPT_MS + 2 * DAY_MS);
    vi.setSystemTime(NOW + KEPT_MS - MINUTE);
    await node.alarm();
    expect(notes.count).toBe(1);
    vi.setSystemTime(dueMs);
    await node.alarm();
    expect(notes.count).toBe(0);
  }));

it("is exported and erased with the rest of a person's data", () =>
  withNotes(async ({ node, notes }) => {
    const others = note({ id: "note_2", person: "bob" });
    await node.write(PLATFORM, () => [note(), others].forEach((one) => notes.insert(one)));
    const found: unknown[] = [];
    let place = null;
    do {
      const request = { userId: "ada", place, requestId: "req_1" };
      const page = OPERATIONS.findPersonal(node, PLATFORM, request);
      if (page.kind !== "personal_page") throw new Error(page.kind);
      found.push(...page.records);
      place = page.next;
    } while (place !== null);
    expect(found).toEqual([{ kind: "note", note: note() }]);

    const asked = { id: "era_1", userId: "ada" };
    const started = await OPERATIONS.startErasure(node, PLATFORM, asked);
    expect(started.kind).toBe("erasure");
    await node.alarm();
    const read = OPERATIONS.readErasure(node, PLATFORM, "era_1");
    expect(read).toMatchObject({ erasure: { counts: { notes: 1 }, userId: null } });
    expect(notes.ofPerson("ada")).toEqual([]);
    expect(notes.ofPerson("bob")).toEqual([others]);
  }));
