import { useEffect, useState } from "preact/hooks";
import { onSession, session } from "./api/session.ts";
import { type Place, usePlace } from "./hash-route.ts";
import { AuditPage } from "./pages/audit.tsx";
import { ModerationLogPage } from "./pages/moderation-log.tsx";
import { MoneyPage } from "./pages/money.tsx";
import { ReportPage } from "./pages/report.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { PlatformWebhooksPage } from "./pages/platform-webhooks.tsx";
import { SignIn } from "./pages/sign-in.tsx";
import { TenantsPage } from "./pages/tenants.tsx";
import { TenantPage } from "./tenant/tenant-page.tsx";
import { TryItPage } from "./try-it/try-it-page.tsx";
import { Shell } from "./ui/shell.tsx";
import { Empty } from "./ui/status.tsx";

export function App() {
  const [who, setWho] = useState(session());
  useEffect(() => onSession(() => setWho(session())), []);
  const place = usePlace();
  const title = titleOf(place);
  useEffect(() => {
    document.title = who === null ? "Sign in · Neurogate" : `${title} · Neurogate`;
  }, [who, title]);
  if (who === null) return <SignIn />;
  return (
    <Shell place={place} session={who}>
      {who.kind === "platform" ? (
        <PlatformPage place={place} />
      ) : (
        <OwnPage place={place} tenant={who.tenant} />
      )}
    </Shell>
  );
}

function titleOf({ path: [first, second, third] }: Place): string {
  if (first === "tenants" && second !== undefined) return `${second} ${third ?? ""}`.trim();
  const names: Readonly<Record<string, string>> = {
    tenants: "Tenants",
    try: "Try it",
    audit: "Audit",
    money: "Money",
    log: "Moderation log",
    events: "Alerts",
  };
  return names[first ?? ""] ?? "Overview";
}

function PlatformPage({ place }: { readonly place: Place }) {
  const [first, second, third = "summary", fourth] = place.path;
  switch (first) {
    case undefined:
      return <OverviewPage />;
    case "tenants":
      return second === undefined ? (
        <TenantsPage place={place} />
      ) : (
        <TenantPage key={second} tenant={second} tab={third} item={fourth ?? null} place={place} />
      );
    case "try":
      return <TryItPage place={place} />;
    case "money":
      return second === "report" ? <ReportPage /> : <MoneyPage />;
    case "log":
      return <ModerationLogPage />;
    case "events":
      return <PlatformWebhooksPage item={second ?? null} />;
    case "audit":
      return <AuditPage />;
    default:
      return <Lost />;
  }
}

/** With a tenant's key there is only that tenant, so its page is the start. */
function OwnPage({ place, tenant }: { readonly place: Place; readonly tenant: string }) {
  const [first, second, third = "summary", fourth] = place.path;
  if (first === "try") return <TryItPage place={place} />;
  if (first !== undefined && (first !== "tenants" || second !== tenant)) return <Lost />;
  return <TenantPage tenant={tenant} tab={third} item={fourth ?? null} place={place} />;
}

const Lost = () => (
  <Empty icon="search" title="There is no such page">
    <p>
      Go to the <a href="#/">start</a>.
    </p>
  </Empty>
);
