import { useEffect, useState } from "preact/hooks";

// Light, dark, or as the system has it. Charts are drawn on a canvas, so they are told of a change.

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
    // Storage is forbidden: the choice holds for this page.
  }
  for (const listener of listeners) listener();
}

export function restoreTheme(): void {
  try {
    const stored = localStorage.getItem(STORED);
    if (stored === "light" || stored === "dark") setTheme(stored);
  } catch {
    // As the system has it.
  }
}

const systemDark = (): MediaQueryList => matchMedia("(prefers-color-scheme: dark)");

function scheme(): "light" | "dark" {
  const chosen = theme();
  if (chosen !== "system") return chosen;
  return systemDark().matches ? "dark" : "light";
}

/** Changes whenever colours do. */
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
