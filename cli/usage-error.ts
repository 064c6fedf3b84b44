/** Something that the user of a command can put right: its message is all that is shown. */
export class UsageError extends Error {}
