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
      if (typeof key === "string" && isIndex(key)) {
        steps += 1;
        return target[Number(key)];
      }
      if (key === "indexOf") return indexOf;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { bytes, steps: () => steps };
}

/** No method begins with a digit. An expression for each byte would take most of a test's time. */
function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 0x30 && first <= 0x39;
}
