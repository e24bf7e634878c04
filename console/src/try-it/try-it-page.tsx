import { useState } from "preact/hooks";
import { may, session, tenantOf } from "../api/session.ts";
import { hashOf, type Place } from "../hash-route.ts";
import { Panel } from "../ui/panel.tsx";
import { Empty } from "../ui/status.tsx";
import { ChatTry } from "./chat-try.tsx";
import { KeyChoice } from "./key-choice.tsx";
import { ModerationTry } from "./moderation-try.tsx";

const MODES = [
  { key: "text", label: "Text" },
  { key: "image", label: "Picture" },
  { key: "chat", label: "Chat" },
] as const;

/** Real calls with a tenant's key, at the tenant's cost. The key is kept only in memory. */
export function TryItPage({ place }: { readonly place: Place }) {
  const who = session();
  const own = who?.kind === "tenant" ? who.token : null;
  const [key, setKey] = useState<string | null>(own);
  const mode = MODES.find((one) => one.key === place.path[1])?.key ?? "text";
  const tenant = place.query.get("tenant") ?? "";
  const query: Record<string, string> = tenant === "" ? {} : { tenant };
  const calling = key === null ? null : tenantOf(key);
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>Try it</h1>
          <p class="hint">
            {calling === null
              ? "Real calls with a tenant's key, at that tenant's cost."
              : `Real calls as ${calling}, at its cost.`}
          </p>
        </div>
        <nav class="segmented-links" aria-label="What to try">
          {MODES.map((one) => (
            <a
              key={one.key}
              href={hashOf(["try", one.key], query)}
              aria-current={one.key === mode ? "page" : undefined}
            >
              {one.label}
            </a>
          ))}
        </nav>
      </header>
      {own === null && <KeyChoice tenant={tenant} chosen={key} onKey={setKey} />}
      {own !== null && !may("call") && (
        <Panel title="No calls with this key">
          <Empty icon="key" title="A review key makes no calls">
            <p>Sign in with a key whose role is call or manage.</p>
          </Empty>
        </Panel>
      )}
      {key !== null && may("call") && mode === "chat" && <ChatTry token={key} />}
      {key !== null && may("call") && mode !== "chat" && (
        <ModerationTry key={mode} token={key} picture={mode === "image"} />
      )}
    </div>
  );
}
