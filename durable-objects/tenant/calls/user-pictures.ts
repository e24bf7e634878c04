import type { UserPictures } from "../../../src/domain/ledger/admission.ts";
import type { Hold, Item } from "../../../src/domain/ledger/ledger.ts";
import type { PlannedStage } from "../../../src/domain/moderation/stage.ts";
import { dayOf } from "../../../src/domain/ledger/period.ts";
import { endOfDay } from "../expiries.ts";
import { expiry, PURGE_ROWS, type TenantFeature } from "../feature.ts";
import { personalData } from "../privacy/personal-data.ts";
import type { Tx } from "../transactions.ts";
import { USER_PICTURES } from "./call-schema.ts";

// A user's pictures of the day: counted with the admission of the call, in the same transaction. Pictures
// that no engine made are given back with the settlement. A hold that expires gives nothing back, since
// it is charged: something may have been made.

export const USER_PICTURES_FEATURE: TenantFeature = {
  name: "user_pictures",
  tables: [USER_PICTURES],
  capability: ({ stores: { db, userPictures, persons } }) => ({
    purge: ({ nowMs }) => userPictures.purge(dayOf(nowMs), PURGE_ROWS),
    expiries: [expiry(db.of(USER_PICTURES), () => endOfDay(userPictures.oldestDay()))],
    personal: [
      personalData<"user_pictures">({
        name: "user_pictures",
        find: (person) => persons.userPictures(person),
        erase: (_, { day }, person) => persons.eraseUserPictures(day, person),
      }),
    ],
  }),
};

const isPictures = ({ name, task }: PlannedStage): boolean =>
  name === "generate" && task === "text_to_image";

export const pictureCount = (stages: readonly PlannedStage[]): number =>
  stages.filter(isPictures).reduce((total, { calls }) => total + calls.length, 0);

/** What a call for pictures asks of its user's day; null for any other call. */
export function userPicturesOf(
  tx: Tx,
  call: {
    readonly userId: string | null;
    readonly stages: readonly PlannedStage[];
  },
): UserPictures | null {
  const wanted = pictureCount(call.stages);
  if (call.userId === null || wanted === 0) return null;
  const used = tx.stores.userPictures.count(dayOf(tx.nowMs), call.userId);
  return { limit: tx.profile.settings.daily_images_per_user, used, wanted };
}

/** @param items what the call's stages came to */
export function giveBackPictures(tx: Tx, hold: Hold, items: readonly Item[]): void {
  const held = pictureCount(hold.stages);
  if (hold.userId === null || held === 0) return;
  const requested = items
    .filter(({ stage, task }) => stage === "generate" && task === "text_to_image")
    .reduce((total, { calls }) => total + calls, 0);
  if (requested < held) tx.stores.userPictures.giveBack(hold.day, hold.userId, held - requested);
}
