import { PLATFORM_EVENT_TYPES } from "../../../src/domain/webhooks/event.ts";
import { hashOf } from "../hash-route.ts";
import { Panel } from "../ui/panel.tsx";
import { Endpoints } from "../webhooks/endpoints.tsx";
import { Alerts } from "./alerts.tsx";

export const PlatformWebhooksPage = ({ item }: { readonly item: string | null }) => (
  <div class="page">
    <header class="page-head">
      <div>
        <h1>Alerts</h1>
        <p class="hint">
          Events of tenants and of the account, and the endpoints that receive them.
        </p>
      </div>
    </header>
    <Panel title="Events" hint="Of the last 30 days, those that an endpoint subscribed to.">
      <Alerts most={50} />
    </Panel>
    <Endpoints
      path="/admin/webhooks"
      deliveriesPath="/admin/deliveries"
      types={PLATFORM_EVENT_TYPES}
      chosen={item}
      hrefOf={(id) => hashOf(["events", id])}
      decisions={false}
    />
  </div>
);
