// Settings are stored as JSON: what changed in their meaning is rewritten here, once an object.

/**
 * A paid tenant without an overage cap was stored as null, which is what a forgotten cap looks like
 * too. It stays as it was, in the word that is required now. The free plan has no overage to cap.
 */
export const SPELL_OUT_OVERAGE: readonly string[] = [
  `UPDATE tenant SET settings = json_set(settings, '$.overage_cap_neurons', 'unlimited')
    WHERE settings ->> '$.plan' = 'paid' AND settings ->> '$.overage_cap_neurons' IS NULL`,
  `UPDATE tenant SET settings = json_set(settings, '$.overage_cap_neurons', NULL)
    WHERE settings ->> '$.plan' = 'free' AND settings ->> '$.overage_cap_neurons' IS NOT NULL`,
];
