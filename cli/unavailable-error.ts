/** Something that the command needs and that cannot be reached: its message is all that is shown. */
export class UnavailableError extends Error {}
