import { useEffect, useState } from "preact/hooks";

// The console's place is the fragment of the URL, which a browser sends to no server.

export interface Place {
  /** `#/tenants/acme/keys` becomes `["tenants", "acme", "keys"]`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export function readHash(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/").filter((part) => part !== "");
  return { path: parts.map(decoded), query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const hashOf = (
  path: readonly string[],
  query: Readonly<Record<string, string>> = {},
): string => {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const text = given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
  return `#/${path.map(encodeURIComponent).join("/")}${text}`;
};

export function go(path: readonly string[], query: Readonly<Record<string, string>> = {}): void {
  location.hash = hashOf(path, query);
}

export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return readHash(hash);
}
