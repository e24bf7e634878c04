import { useEffect, useState } from "preact/hooks";

// Shows one short sentence at a time for a while. Screen readers read it out.

type Tone = "good" | "bad";

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly tone: Tone;
}

const SHOWN_MS = 6000;

let last = 0;
let notice: Notice | null = null;
const listeners = new Set<() => void>();

export function announce(text: string, tone: Tone = "good"): void {
  last += 1;
  const id = last;
  tell({ id, text, tone });
  setTimeout(() => notice?.id === id && tell(null), SHOWN_MS);
}

function tell(next: Notice | null): void {
  notice = next;
  for (const listener of listeners) listener();
}

export function useNotice(): Notice | null {
  const [shown, setShown] = useState(notice);
  useEffect(() => {
    const changed = () => setShown(notice);
    listeners.add(changed);
    return () => void listeners.delete(changed);
  }, []);
  return shown;
}
