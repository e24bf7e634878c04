import worker from "../../src/index.ts";
import { withFixedAi } from "./fixed-ai.ts";

// The unchanged Worker with fixed answers.

export {
  Account,
  BatchRun,
  ContentPipeline,
  Session,
  StateApplies,
  Tenant,
  VectorShard,
} from "../../src/index.ts";

export default withFixedAi(worker);
