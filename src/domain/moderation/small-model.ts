import { isPictureModel } from "./picture-scores.ts";
import { isTextModel } from "./text-model.ts";

/** One of the models inside the Worker: free, with more false alarms than a judge. */
export const isSmallModel = (model: string | null): boolean =>
  isPictureModel(model) || isTextModel(model);
