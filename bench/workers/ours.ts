import worker from "../../src/index.ts";
import { withFixedAi } from "./fixed-ai.ts";

// The unchanged Worker with fixed answers.

export * from "../../src/index.ts";

export default withFixedAi(worker);
