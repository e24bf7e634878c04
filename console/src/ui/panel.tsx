import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { hashOf } from "../hash-route.ts";
import { useCurrentInView } from "./use-current-in-view.ts";

interface PanelProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly hint?: ComponentChildren;
  readonly class?: string;
}

export function Panel({ title, children, actions, hint, class: extra = "" }: PanelProps) {
  const id = useId();
  return (
    <section class={`panel ${extra}`} aria-labelledby={id}>
      <header class="panel-head">
        <div>
          <h2 id={id}>{title}</h2>
          {hint !== undefined && <p class="hint">{hint}</p>}
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

interface FigureProps {
  readonly label: string;
  readonly value: ComponentChildren;
  readonly unit?: string;
  readonly detail?: ComponentChildren;
  readonly title?: string;
}

/** One important number with its label. */
export const Figure = ({ label, value, unit, detail, title }: FigureProps) => (
  <div class="figure" title={title}>
    <p class="figure-label">{label}</p>
    <p class="figure-value">
      {value}
      {unit !== undefined && <span class="unit"> {unit}</span>}
    </p>
    {detail !== undefined && <p class="hint">{detail}</p>}
  </div>
);

export interface Tab {
  readonly key: string;
  readonly label: string;
}

interface TabsProps {
  readonly label: string;
  readonly base: readonly string[];
  readonly tabs: readonly Tab[];
  readonly current: string;
}

/** Tabs. They are links, since each has its own address. */
export function Tabs({ label, base, tabs, current }: TabsProps) {
  const row = useCurrentInView(current);
  return (
    <nav ref={row} class="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <a
          key={tab.key}
          href={hashOf([...base, tab.key])}
          aria-current={tab.key === current ? "page" : undefined}
        >
          {tab.label}
        </a>
      ))}
    </nav>
  );
}
