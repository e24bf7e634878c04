/** Something that the one who called has to know, as a sentence. */
export class StateFailure extends Error {
  /**
   * @param {string} message
   * @param {number} code of the process: 1 where tenants failed, 2 where nothing could be begun
   */
  constructor(message, code = 2) {
    super(message);
    this.code = code;
  }
}
