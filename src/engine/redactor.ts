/** Takes secrets out of a text. */
export type Redactor = (text: string) => string;
