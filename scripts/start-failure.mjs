/** A failure that the person who ran `npm start` can fix. Only its message is shown. */
export class StartFailure extends Error {}
