/** A failure whose message is a sentence for the person who ran the command. */
export class StateFailure extends Error {
  /**
   * @param {string} message
   * @param {number} code the exit code: 1 if tenants failed, 2 if nothing could be started
   */
  constructor(message, code = 2) {
    super(message);
    this.code = code;
  }
}
