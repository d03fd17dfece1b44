/**
 * Finds emphasis, strong and struck text, and code in running text, with micromark's tokenizer. It gives offsets, which
 * marked does not, and is smaller than `@lezer/markdown`.
 */

import { parse, preprocess } from 'micromark';
import type { Event } from 'micromark-util-types';
import { attentionOfChat } from './attention.ts';
import type { Range } from './ranges.ts';

export type InlineKind = 'strong' | 'emphasis' | 'strike' | 'code';

export interface InlineNode extends Range {
  kind: InlineKind | 'text';
  children: InlineNode[];
}

/** Everything else that CommonMark knows stays as it was typed. */
const DISABLED = [
  'labelStartImage',
  'labelStartLink',
  'labelEnd',
  'autolink',
  'htmlText',
  'characterReference',
  'hardBreakEscape',
];
const OPTIONS = { extensions: [attentionOfChat, { disable: { null: DISABLED } }] };
/** The marks that are not shown. */
const HIDDEN = ['strongSequence', 'emphasisSequence', 'codeTextSequence', 'codeTextPadding'];
const MARKS = /\*+|_+|~+|`+/g;
/** The tokenizer's time grows with the square of the number of marks. Nobody formats that much in a message. */
const MAX_MARKS = 400;
/** Marks that are nested deeper stay as they were typed. */
const MAX_DEPTH = 6;

export function parseInline(text: string): InlineNode[] {
  const plain: InlineNode = { kind: 'text', start: 0, end: text.length, children: [] };
  const marks = text.match(MARKS)?.length ?? 0;
  if (marks === 0 || marks > MAX_MARKS) return [plain];
  const builder = new TreeBuilder(text);
  for (const event of tokenise(text)) builder.apply(event);
  return builder.end();
}

/** The tokenizer would skip a byte order mark at the beginning. */
function tokenise(text: string): Event[] {
  return parse(OPTIONS)
    .text()
    .write(preprocess()(text.replace(/^\ufeff/, ' '), undefined, true));
}

class TreeBuilder {
  #text: string;
  #root: InlineNode[] = [];
  /** The open nodes. Null stands for one that is nested too deep. */
  #open: (InlineNode | null)[] = [];
  /** Text up to here is in the tree. */
  #done = 0;

  constructor(text: string) {
    this.#text = text;
  }

  apply([phase, { type, start, end }]: Event): void {
    if (HIDDEN.includes(type)) {
      if (phase === 'exit' && this.#open.at(-1) !== null) this.#skip(start.offset, end.offset);
      return;
    }
    const kind = this.#kindOf(type, start.offset);
    if (kind === null) return;
    if (phase === 'enter') this.#enter(kind, start.offset, end.offset);
    else {
      this.#addText(end.offset);
      this.#open.pop();
    }
  }

  end(): InlineNode[] {
    this.#addText(this.#text.length);
    return this.#root;
  }

  #kindOf(type: string, offset: number): InlineKind | null {
    if (type === 'codeText') return 'code';
    if (type === 'emphasis') return 'emphasis';
    if (type !== 'strong') return null;
    return this.#text.charAt(offset) === '~' ? 'strike' : 'strong';
  }

  #enter(kind: InlineKind, start: number, end: number): void {
    this.#addText(start);
    const isTooDeep = this.#open.length >= MAX_DEPTH;
    const node = isTooDeep ? null : { kind, start, end, children: [] };
    if (node) this.#siblings.push(node);
    this.#open.push(node);
  }

  get #siblings(): InlineNode[] {
    return this.#open.findLast((node) => node !== null)?.children ?? this.#root;
  }

  #skip(start: number, end: number): void {
    this.#addText(start);
    this.#done = end;
  }

  #addText(end: number): void {
    if (end <= this.#done) return;
    this.#siblings.push({ kind: 'text', start: this.#done, end, children: [] });
    this.#done = end;
  }
}
