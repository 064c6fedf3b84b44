/** A text in lines of at most `width` characters, broken between words, and inside of those that are longer. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap(each => pieces(each, width))) {
    const longer = line === '' ? word.text : `${line}${word.glued ? '' : ' '}${word.text}`;
    if (line !== '' && longer.length > width) {
      lines.push(line);
      line = word.text;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

interface Piece {
  readonly text: string;
  /** True for what goes on with the word before. */
  readonly glued: boolean;
}

/** A word that is too long, in pieces that end where a name has a seam. */
function pieces(word: string, width: number): Piece[] {
  const found: Piece[] = [];
  let rest = word;
  while (rest.length > width) {
    const seam = /^.*[{}[\]._,=/:-]/.exec(rest.slice(0, width))?.[0].length ?? 0;
    const end = seam < width / 2 ? width : seam;
    found.push({ text: rest.slice(0, end), glued: found.length > 0 });
    rest = rest.slice(end);
  }
  return [...found, { text: rest, glued: found.length > 0 }];
}
