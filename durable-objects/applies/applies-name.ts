/** There is one object of this class, so that no two documents are applied at once. */
export const APPLIES_NAME = "applies";
