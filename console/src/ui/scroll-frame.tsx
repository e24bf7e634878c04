import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface ScrollFrameProps {
  readonly label: string;
  readonly children: ComponentChildren;
}

/** A frame for content that may be too wide. Then the keyboard can focus the frame, to scroll it. */
export function ScrollFrame({ label, children }: ScrollFrameProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const measure = () => setScrolls(element.scrollWidth > element.clientWidth);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    if (element.firstElementChild !== null) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, []);
  const reached = scrolls ? { tabIndex: 0, role: "region" as const, "aria-label": label } : {};
  return (
    <div ref={frame} class="table-frame" {...reached}>
      {children}
    </div>
  );
}
