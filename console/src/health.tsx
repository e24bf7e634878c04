import { useEffect, useState } from "preact/hooks";

type Known =
  | { readonly kind: "asking" }
  | { readonly kind: "answered"; readonly configured: boolean; readonly version: string }
  | { readonly kind: "silent" };

async function ask(): Promise<Known> {
  try {
    const response = await fetch("/healthz", { cache: "no-store" });
    if (!response.ok) return { kind: "silent" };
    const { configured, version } = (await response.json()) as Record<string, unknown>;
    return { kind: "answered", configured: configured === true, version: String(version) };
  } catch {
    return { kind: "silent" };
  }
}

/** Whether the gateway answers, and whether it has its secrets: the one thing to see without a key. */
export function Health() {
  const [known, setKnown] = useState<Known>({ kind: "asking" });
  useEffect(() => {
    void ask().then(setKnown);
  }, []);
  return <p role="status">{sentence(known)}</p>;
}

function sentence(known: Known): string {
  switch (known.kind) {
    case "asking":
      return "Asking the gateway …";
    case "silent":
      return "The gateway does not answer. Reload the page to ask again.";
    case "answered":
      return known.configured
        ? `The gateway answers: version ${known.version}.`
        : "The gateway has no secrets: set KEY_SECRETS and ADMIN_TOKEN.";
  }
}
