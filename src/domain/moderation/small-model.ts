import { isPictureModel } from "./picture-scores.ts";
import { isTextModel } from "./text-model.ts";

/** One of the models inside the Worker: free, and with false alarms that a judge has not. */
export const isSmallModel = (model: string | null): boolean =>
  isPictureModel(model) || isTextModel(model);
