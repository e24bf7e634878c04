import { type PromiseSums, promiseSums } from "../../../src/domain/account/account-terms.ts";
import type { PromiseStore, TenantPromise } from "./promise-store.ts";

type Sums = PromiseSums & { readonly tenants: number };

/** Promises in memory: about 2 MB. A message of another tenant reads one row. */
const MOST_KNOWN = 5_000;

/**
 * Promises to tenants: those that were read or changed last, and sums of all. They are changed with the rows;
 * `forget` drops them.
 */
export class PromiseCache {
  readonly #store: PromiseStore;
  readonly #known = new Map<string, TenantPromise>();
  #sums: Sums | null = null;

  constructor(store: PromiseStore) {
    this.#store = store;
  }

  forget(): void {
    this.#known.clear();
    this.#sums = null;
  }

  get(tenant: string): TenantPromise | undefined {
    const known = this.#known.get(tenant);
    if (known !== undefined) return known;
    const read = this.#store.read(tenant);
    if (read === null) return undefined;
    this.#know(read);
    return read;
  }

  /** Promises to those of these tenants that are there. They are not kept: they may be many. */
  among(tenants: readonly string[]): readonly TenantPromise[] {
    const known = tenants.flatMap((tenant) => this.#known.get(tenant) ?? []);
    const unknown = tenants.filter((tenant) => !this.#known.has(tenant));
    return unknown.length === 0 ? known : [...known, ...this.#store.among(unknown)];
  }

  /** Sums of all promises, kept as they change. */
  get sums(): Sums {
    return (this.#sums ??= this.#store.sums());
  }

  /** @param next null: there is no such tenant any more */
  put(tenant: string, next: TenantPromise | null): void {
    const before = this.get(tenant);
    const [was, is] = [promiseSums(before ? [before] : []), promiseSums(next ? [next] : [])];
    const { tenants, floors, promised } = this.sums;
    this.#sums = {
      tenants: tenants + Number(next !== null) - Number(before !== undefined),
      floors: floors - was.floors + is.floors,
      promised: promised - was.promised + is.promised,
    };
    if (next === null) {
      this.#known.delete(tenant);
      this.#store.remove(tenant);
    } else {
      this.#know(next);
      this.#store.write(next);
    }
  }

  /** In place of the one that has been known for the longest time. */
  #know(promise: TenantPromise): void {
    this.#known.delete(promise.tenant);
    this.#known.set(promise.tenant, promise);
    if (this.#known.size <= MOST_KNOWN) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  /** The number of promises in memory. */
  get size(): number {
    return this.#known.size;
  }
}
