import { useState } from "preact/hooks";
import { CopyButton } from "../ui/button.tsx";
import { Panel } from "../ui/panel.tsx";
import type { Sample } from "./code-samples.ts";

export function Samples({ samples }: { readonly samples: readonly Sample[] }) {
  const [at, setAt] = useState(0);
  const sample = samples[at] ?? samples[0];
  if (sample === undefined) return null;
  return (
    <Panel
      title="The same call"
      hint="With the key in NEUROGATE_KEY."
      actions={
        <>
          <div class="segmented" role="group" aria-label="Language">
            {samples.map(({ title }, n) => (
              <button key={title} type="button" aria-pressed={n === at} onClick={() => setAt(n)}>
                {title}
              </button>
            ))}
          </div>
          <CopyButton text={sample.code} what="code" />
        </>
      }
    >
      <pre class="code" tabIndex={0} aria-label={`${sample.title} code`}>
        <code>{sample.code}</code>
      </pre>
    </Panel>
  );
}
