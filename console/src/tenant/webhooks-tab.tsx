import { EVENT_TYPES } from "../../../src/domain/webhooks/event.ts";
import { tenantPath } from "../api/session.ts";
import { hashOf } from "../hash-route.ts";
import { Endpoints } from "../webhooks/endpoints.tsx";
import type { TabProps } from "./tenant-page.tsx";

export const WebhooksTab = ({ tenant, item }: TabProps) => (
  <Endpoints
    path={tenantPath(tenant, "/webhooks")}
    deliveriesPath={tenantPath(tenant, "/deliveries")}
    types={EVENT_TYPES}
    chosen={item}
    hrefOf={(id) => hashOf(["tenants", tenant, "webhooks", id])}
    decisions
  />
);
