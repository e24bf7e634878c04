// Bytes that count how often they are looked at, so that a test can tell a reader that walks over a
// body once from one that walks over it anew for each thing that it finds.

export interface CountingBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes that were read one by one, and those that a native search has passed. */
  readonly steps: () => number;
}

export function countingBytes(counted: Uint8Array): CountingBytes {
  const own = counted.slice();
  let steps = 0;
  const indexOf = (byte: number, from = 0): number => {
    const found = own.indexOf(byte, from);
    steps += 1 + (found === -1 ? Math.max(0, own.length - from) : found - from);
    return found;
  };
  const bytes = new Proxy(own, {
    get(target, key) {
      if (key === "indexOf") return indexOf;
      if (typeof key === "string" && /^\d+$/.test(key)) steps += 1;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { bytes, steps: () => steps };
}
