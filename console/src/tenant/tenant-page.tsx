import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { tenantWarnings } from "../../../src/domain/tenant/tenant-warnings.ts";
import type { Account, Limits, Role, Tenant } from "../api/shapes.ts";
import { api, may, session, tenantPath } from "../api/session.ts";
import { go, type Place } from "../hash-route.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Tabs } from "../ui/panel.tsx";
import { Badge, Empty, ErrorNote, TagBadge, Warning } from "../ui/status.tsx";
import { useLoad } from "../ui/use-load.ts";
import { DeleteTenant } from "./delete-tenant.tsx";
import { DocumentsTab } from "./documents-tab.tsx";
import { EditTenant, saveTenant } from "./edit-tenant.tsx";
import { GrantsTab } from "./grants-tab.tsx";
import { JournalTab } from "./journal-tab.tsx";
import { KeysTab } from "./keys-tab.tsx";
import { PipelinesTab } from "./pipelines-tab.tsx";
import { PoliciesTab } from "./policies-tab.tsx";
import { RefusalsTab } from "./refusals-tab.tsx";
import { ReviewTab } from "./review-tab.tsx";
import { SessionsTab } from "./sessions-tab.tsx";
import { StatementTab } from "./statement-tab.tsx";
import { SummaryTab } from "./summary-tab.tsx";
import { UsageTab } from "./usage-tab.tsx";
import { VerdictsTab } from "./verdicts-tab.tsx";
import { WebhooksTab } from "./webhooks-tab.tsx";

export interface TabProps {
  readonly tenant: string;
  /** The item that is open in the tab: a verdict, a policy, an endpoint. */
  readonly item: string | null;
  readonly place: Place;
}

interface TabSpec {
  readonly key: string;
  readonly label: string;
  /** Roles that may see the tab beside `manage`. */
  readonly roles: readonly Role[];
  readonly view: (props: TabProps) => ComponentChildren;
}

const TABS: readonly TabSpec[] = [
  { key: "summary", label: "Summary", roles: ["call"], view: SummaryTab },
  { key: "usage", label: "Usage", roles: ["call"], view: UsageTab },
  { key: "statement", label: "Statement", roles: [], view: StatementTab },
  { key: "journal", label: "Journal", roles: [], view: JournalTab },
  { key: "grants", label: "Grants", roles: [], view: GrantsTab },
  { key: "verdicts", label: "Verdicts", roles: ["review"], view: VerdictsTab },
  { key: "review", label: "Review", roles: ["review"], view: ReviewTab },
  { key: "documents", label: "Documents", roles: ["call"], view: DocumentsTab },
  { key: "pipelines", label: "Pipelines", roles: ["call"], view: PipelinesTab },
  { key: "sessions", label: "Sessions", roles: [], view: SessionsTab },
  { key: "policies", label: "Policies", roles: [], view: PoliciesTab },
  { key: "keys", label: "Keys", roles: [], view: KeysTab },
  { key: "webhooks", label: "Webhooks", roles: [], view: WebhooksTab },
  { key: "refusals", label: "Refusals", roles: ["call"], view: RefusalsTab },
];

interface TenantPageProps extends TabProps {
  readonly tab: string;
}

export function TenantPage({ tenant, tab, item, place }: TenantPageProps) {
  const tabs = TABS.filter(({ roles }) => may(...roles));
  const open = tabs.find(({ key }) => key === tab) ?? (tab === "summary" ? tabs[0] : undefined);
  const View = open?.view;
  return (
    <div class="page">
      {session()?.kind === "platform" ? <Head tenant={tenant} /> : <OwnHead tenant={tenant} />}
      <Tabs
        label={`Of ${tenant}`}
        base={["tenants", tenant]}
        tabs={tabs}
        current={open?.key ?? ""}
      />
      {View === undefined ? (
        <Empty icon="search" title="There is nothing here for you">
          <p>Either there is no such page, or your key's role does not open it.</p>
        </Empty>
      ) : (
        <View key={open?.key ?? ""} tenant={tenant} item={item} place={place} />
      )}
    </div>
  );
}

const OwnHead = ({ tenant }: { readonly tenant: string }) => (
  <header class="page-head">
    <h1>{tenant}</h1>
  </header>
);

type Doing = "edit" | "delete" | null;

function Head({ tenant: id }: { readonly tenant: string }) {
  const path = `/admin/tenants/${encodeURIComponent(id)}`;
  const { data, error, reload } = useLoad(path, (signal) => api.get<Tenant>(path, {}, { signal }));
  const [limits, setLimits] = useState<Limits | null>(null);
  const [doing, setDoing] = useState<Doing>(null);
  const edit = async () => {
    setLimits(await api.get<Limits>(tenantPath(id, "/limits")).catch(() => null));
    setDoing("edit");
  };
  const suspend = async (tenant: Tenant) => {
    try {
      await saveTenant(tenant, { suspended: !tenant.suspended });
    } catch (caught) {
      announce((caught as Error).message, "bad");
    }
    reload();
  };
  return (
    <>
      <header class="page-head">
        <div>
          <a class="crumb" href="#/tenants">
            Tenants
          </a>
          <div class="tenant-name">
            <h1>{id}</h1>
            {data !== null && <TagBadge tag={data.plan} />}
            {data?.suspended === true && <Badge tone="bad">suspended</Badge>}
          </div>
        </div>
        {data !== null && (
          <div class="actions">
            <Button onClick={() => void edit()}>Edit settings</Button>
            <Button onClick={() => void suspend(data)}>
              {data.suspended ? "Resume" : "Suspend"}
            </Button>
            <Button kind="danger" onClick={() => setDoing("delete")}>
              Delete
            </Button>
          </div>
        )}
        {error !== null && <ErrorNote error={error} onRetry={reload} />}
        {doing === "edit" && data !== null && (
          <EditTenant
            tenant={data}
            limits={limits}
            onClose={() => setDoing(null)}
            onSaved={() => {
              setDoing(null);
              reload();
            }}
          />
        )}
        {doing === "delete" && (
          <DeleteTenant id={id} onClose={() => setDoing(null)} onDeleted={() => go(["tenants"])} />
        )}
      </header>
      {data !== null && <Warnings tenant={data} />}
    </>
  );
}

/** Warnings are shown as long as they apply, not only after a change: a setting may be an older default. */
function Warnings({ tenant }: { readonly tenant: Tenant }) {
  const { data: account } = useLoad("the account's plan", (signal) =>
    api.get<Account>("/admin/account", {}, { signal }),
  );
  if (account === null) return null;
  return (
    <>
      {tenantWarnings(tenant, account.cloudflare_plan).map(({ kind, detail }) => (
        <Warning key={kind}>
          <p>{detail}</p>
        </Warning>
      ))}
    </>
  );
}
