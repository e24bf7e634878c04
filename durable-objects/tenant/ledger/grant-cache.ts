import {
  endsAtMs,
  type Grant,
  type GrantDraw,
  isOpenAt,
  openAt,
  serving,
} from "../../../src/domain/ledger/grant.ts";
import { minus, plus } from "../../../src/domain/ledger/micro-neurons.ts";
import type { GrantStore } from "./grant-store.ts";

/**
 * The grants that calls may draw on, in memory: those that have not ended, and those that ended
 * while calls were in progress that may still draw on them. Read when the object starts.
 */
export class GrantCache {
  readonly #store: GrantStore;
  #grants: Map<string, Grant> | null = null;
  readonly #drawn = new Set<string>();

  constructor(store: GrantStore) {
    this.#store = store;
  }

  reset(): void {
    this.#grants = null;
    this.#drawn.clear();
  }

  /** @param sinceMs when the oldest call in progress was admitted, or now */
  load(sinceMs: number): void {
    this.#grants = new Map(this.#store.endingFrom(sinceMs).map((grant) => [grant.id, grant]));
  }

  /** What a call that is admitted now may count on, in the order in which it draws. */
  openAt(nowMs: number): readonly Grant[] {
    const grants = this.#known();
    return grants.size === 0 ? [] : openAt(grants.values(), nowMs);
  }

  /** What a call of that admission may draw on, in that order. */
  serving(admittedAtMs: number): readonly Grant[] {
    const grants = this.#known();
    return grants.size === 0 ? [] : serving(grants.values(), admittedAtMs);
  }

  /** How many have not ended, used up or not: each is read when the object starts. */
  count(nowMs: number): number {
    return [...this.#known().values()].filter((grant) => isOpenAt(grant, nowMs)).length;
  }

  add(grant: Grant): void {
    this.#store.insert(grant);
    this.#known().set(grant.id, grant);
  }

  end(grant: Grant, nowMs: number): void {
    const ended = { ...grant, endedAtMs: nowMs };
    this.#store.writeEnd(ended);
    this.#known().set(grant.id, ended);
  }

  find(id: string): Grant | null {
    return this.#known().get(id) ?? this.#store.read(id);
  }

  draw(draws: readonly GrantDraw[]): void {
    for (const { grantId, microNeurons } of draws) {
      this.#change(grantId, (grant) => ({ ...grant, drawn: plus(grant.drawn, microNeurons) }));
    }
  }

  giveBack(draws: readonly GrantDraw[]): void {
    for (const { grantId, microNeurons } of draws) {
      this.#change(grantId, (grant) => ({ ...grant, drawn: minus(grant.drawn, microNeurons) }));
    }
  }

  /** Writes each that was drawn on once, and forgets those that no call can draw on any more. */
  flush(sinceMs: number): void {
    const grants = this.#known();
    for (const id of this.#drawn) {
      const grant = grants.get(id);
      if (grant !== undefined) this.#store.writeDrawn(grant);
    }
    this.#drawn.clear();
    for (const [id, grant] of grants) if (endsAtMs(grant) < sinceMs) grants.delete(id);
  }

  #change(id: string, how: (grant: Grant) => Grant): void {
    const grant = this.find(id);
    if (grant === null) throw new Error("a line names a grant that is not there");
    this.#known().set(id, how(grant));
    this.#drawn.add(id);
  }

  #known(): Map<string, Grant> {
    if (this.#grants === null) throw new Error("the grants were not read");
    return this.#grants;
  }
}
