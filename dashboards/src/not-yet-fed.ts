/** Panels whose series nothing in the demo feeds yet. Whoever feeds them takes them off this list. */
export const NOT_YET_FED: readonly string[] = [
  'Dead letters in each queue',
  'Dead letters in and out',
  'Redrives that succeed',
  'Age of the oldest dead letter',
];
