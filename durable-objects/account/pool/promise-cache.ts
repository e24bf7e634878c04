import { type PromiseSums, promiseSums } from "../../../src/domain/account/account-terms.ts";
import type { PromiseStore, TenantPromise } from "./promise-store.ts";

type Sums = PromiseSums & { readonly tenants: number };

/**
 * What tenants are promised: in memory of those that were asked for since the object started, and sums of
 * all. Changed with the rows; `forget` drops it.
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
    this.#known.set(tenant, read);
    return read;
  }

  /** Of all promises, kept as they change. */
  get sums(): Sums {
    return (this.#sums ??= this.#store.sums());
  }

  /** @param next null: the tenant is there no more */
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
      this.#known.set(tenant, next);
      this.#store.write(next);
    }
  }
}
