import { useEffect, useRef } from "preact/hooks";

/** Scrolls a row of links so that the link of this page is visible. */
export function useCurrentInView(current: string | undefined) {
  const row = useRef<HTMLElement>(null);
  useEffect(() => {
    const element = row.current;
    const link = element?.querySelector<HTMLElement>("[aria-current]");
    if (element == null || link == null) return;
    const [of, at] = [element.getBoundingClientRect(), link.getBoundingClientRect()];
    element.scrollLeft += at.left + at.width / 2 - (of.left + of.width / 2);
  }, [current]);
  return row;
}
