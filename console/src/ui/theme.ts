import { useEffect, useState } from "preact/hooks";

// Light, dark, or the system's choice. Charts are drawn on a canvas, so they subscribe to changes.

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const STORED = "neurogate.theme";

const listeners = new Set<() => void>();

export function theme(): Theme {
  const set = document.documentElement.dataset["theme"];
  return set === "light" || set === "dark" ? set : "system";
}

export function setTheme(next: Theme): void {
  if (next === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // Storage is forbidden, so the choice lasts only for this page.
  }
  for (const listener of listeners) listener();
}

export function restoreTheme(): void {
  try {
    const stored = localStorage.getItem(STORED);
    if (stored === "light" || stored === "dark") setTheme(stored);
  } catch {
    // The system's choice.
  }
}

const systemDark = (): MediaQueryList => matchMedia("(prefers-color-scheme: dark)");

function scheme(): "light" | "dark" {
  const chosen = theme();
  if (chosen !== "system") return chosen;
  return systemDark().matches ? "dark" : "light";
}

/** A value that changes whenever the colours change. */
export function useScheme(): "light" | "dark" {
  const [shown, setShown] = useState(scheme);
  useEffect(() => {
    const changed = () => setShown(scheme());
    const media = systemDark();
    listeners.add(changed);
    media.addEventListener("change", changed);
    return () => {
      listeners.delete(changed);
      media.removeEventListener("change", changed);
    };
  }, []);
  return shown;
}
