import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Session, signOut } from "../api/session.ts";
import type { Place } from "../hash-route.ts";
import { useNotice } from "./announce.ts";
import { Button } from "./button.tsx";
import { Icon, type IconName } from "./icon.tsx";
import { useCurrentInView } from "./use-current-in-view.ts";
import { ThemeSwitch } from "./theme-switch.tsx";

interface Entry {
  readonly href: string;
  readonly icon: IconName;
  readonly label: string;
  readonly first: string | undefined;
}

const PLATFORM: readonly Entry[] = [
  { href: "#/", icon: "overview", label: "Overview", first: undefined },
  { href: "#/tenants", icon: "tenants", label: "Tenants", first: "tenants" },
  { href: "#/money", icon: "money", label: "Money", first: "money" },
  { href: "#/log", icon: "scale", label: "Moderation", first: "log" },
  { href: "#/try", icon: "try", label: "Try it", first: "try" },
  { href: "#/events", icon: "bell", label: "Alerts", first: "events" },
  { href: "#/audit", icon: "audit", label: "Audit", first: "audit" },
];

const OWN: readonly Entry[] = [
  { href: "#/", icon: "overview", label: "Tenant", first: undefined },
  { href: "#/try", icon: "try", label: "Try it", first: "try" },
];

interface ShellProps {
  readonly place: Place;
  readonly session: Session;
  readonly children: ComponentChildren;
}

export function Shell({ place, session, children }: ShellProps) {
  const main = useRef<HTMLElement>(null);
  const page = place.path.slice(0, 3).join("/");
  const shown = useRef(page);
  useEffect(() => {
    // A new page is read from its start. The focus must not stay on a link that is no longer there.
    if (shown.current !== page) main.current?.focus({ preventScroll: true });
    if (shown.current !== page) scrollTo(0, 0);
    shown.current = page;
  }, [page]);
  const entries = session.kind === "platform" ? PLATFORM : OWN;
  const first =
    session.kind === "tenant" && place.path[0] === "tenants" ? undefined : place.path[0];
  const row = useCurrentInView(first);
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="side">
        <div class="side-in">
          <a class="brand" href="#/">
            <Mark />
            <span>Neurogate</span>
          </a>
          <nav ref={row} class="nav" aria-label="Main">
            {entries.map((entry) => (
              <a
                key={entry.href}
                href={entry.href}
                aria-current={entry.first === first ? "page" : undefined}
              >
                <Icon name={entry.icon} />
                <span>{entry.label}</span>
              </a>
            ))}
          </nav>
          <div class="side-end">
            <p class="who">
              {session.kind === "platform" ? (
                "Platform"
              ) : (
                <>
                  <span class="who-name">{session.tenant}</span> {session.role}
                </>
              )}
            </p>
            <ThemeSwitch />
            <Button icon="out" kind="quiet" small onClick={() => signOut()}>
              Sign out
            </Button>
          </div>
        </div>
      </header>
      <main ref={main} class="content" tabIndex={-1}>
        {children}
      </main>
      <NoticePlace />
    </div>
  );
}

function NoticePlace() {
  const notice = useNotice();
  return (
    <div class="notices" role="status" aria-live="polite">
      {notice !== null && (
        <p key={notice.id} class={`notice ${notice.tone}`}>
          <Icon name={notice.tone === "good" ? "check" : "warning"} />
          {notice.text}
        </p>
      )}
    </div>
  );
}

export const Mark = () => (
  <svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d="M12 1.5 22 7v10l-10 5.5L2 17V7z" />
    <circle cx="12" cy="12" r="3.6" />
  </svg>
);
