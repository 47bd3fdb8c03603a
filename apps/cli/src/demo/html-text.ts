import { Parser } from 'htmlparser2';

/** The text between the tags of an HTML document, entities decoded; a tag or comment counts as a space. */
export function htmlText(html: string): string {
  const pieces: string[] = [];
  let frames = 0;
  const parser = new Parser({
    ontext(text) {
      // What stands inside an <iframe> is markup for browsers without frames, and comes here unparsed.
      if (frames === 0) pieces.push(text);
    },
    onopentag(name) {
      if (name === 'iframe') frames += 1;
      pieces.push(' ');
    },
    onclosetag(name) {
      if (name === 'iframe') frames -= 1;
      pieces.push(' ');
    },
    oncomment: () => pieces.push(' '),
    onprocessinginstruction: () => pieces.push(' '),
  });
  parser.end(html);
  return pieces.join('');
}
