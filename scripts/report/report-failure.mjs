/** What ends the program with a sentence for its user. */
export class ReportFailure extends Error {}
