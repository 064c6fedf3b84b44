import type { DeadLetter, LetterStateName } from 'retryscope/dead-letters';
import type { Colors } from '../terminal.ts';

/** The state of a letter, in its colour. */
export function stateCell({ state }: DeadLetter, colors: Colors): string {
  return PAINT[state.is](colors)(state.is);
}

const PAINT: Readonly<Record<LetterStateName, (colors: Colors) => (text: string) => string>> = {
  dead: ({ red }) => red,
  claimed: ({ cyan }) => cyan,
  redriven: ({ green }) => green,
  quarantined: ({ yellow }) => yellow,
};
