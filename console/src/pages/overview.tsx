import { Panel } from "../ui/panel.tsx";
import { Alerts } from "./alerts.tsx";
import { InvariantsPanel } from "./invariants-panel.tsx";
import { PoolPanels } from "./pool-panels.tsx";
import { UsagePanels } from "./usage-panels.tsx";

export const OverviewPage = () => (
  <div class="page">
    <header class="page-head">
      <div>
        <h1>Overview</h1>
        <p class="hint">The account and its tenants, as they are now.</p>
      </div>
    </header>
    <div class="grid">
      <PoolPanels />
      <UsagePanels />
      <Panel
        title="Alerts"
        class="span-7 fill-row"
        hint="The latest events that an endpoint of the platform subscribed to."
        actions={<a href="#/events">All alerts</a>}
      >
        <Alerts most={8} />
      </Panel>
      <InvariantsPanel />
    </div>
  </div>
);
