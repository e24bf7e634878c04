import worker from "../../src/index.ts";
import { withFixedAi } from "./fixed-ai.ts";

// The Worker as it is, with the answers fixed.

export { Account, BatchRun, StateApplies, Tenant } from "../../src/index.ts";

export default withFixedAi(worker);
