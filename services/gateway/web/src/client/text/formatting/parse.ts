/**
 * Parses the formatting in a message's text: quotes, code, strong, emphasised and struck text. The result
 * refers to the text by offsets. All other characters stay as they were typed.
 */

import { type Block, splitBlocks } from './blocks.ts';
import { type InlineKind, type InlineNode, parseInline } from './inline.ts';
import type { Range } from './ranges.ts';

export interface TextNode extends Range {
  kind: 'text';
}

export interface GroupNode {
  kind: InlineKind | 'quote' | 'codeBlock';
  start: number;
  children: FormatNode[];
  /** What is written behind the first backticks of a code block, such as the language. */
  info: Range | null;
}

export type FormatNode = TextNode | GroupNode;

/** `atoms` are parts without formatting inside, such as addresses and mentions. They are never split. */
export function parseFormatting(text: string, atoms: readonly Range[]): FormatNode[] {
  const masked = mask(text, atoms);
  return splitBlocks(masked).flatMap((block) => nodesOf(block, masked));
}

/** Replaces each atom by letters, which keeps all offsets. */
function mask(text: string, atoms: readonly Range[]): string {
  let masked = '';
  for (const { start, end } of atoms) masked += text.slice(masked.length, start) + 'x'.repeat(end - start);
  return masked + text.slice(masked.length);
}

function nodesOf(block: Block, text: string): FormatNode[] {
  const { kind, lines, blocks, info } = block;
  if (kind === 'text') return formatLines(lines, text);
  const start = lines[0]?.start ?? 0;
  if (kind === 'quote')
    return [{ kind, start, children: blocks.flatMap((each) => nodesOf(each, text)), info }];
  return [{ kind, start, children: joinLines(lines), info }];
}

function formatLines(lines: Range[], text: string): FormatNode[] {
  const joined = lines.map(({ start, end }) => text.slice(start, end)).join('');
  const source = new SourceMap(lines);
  const convert = (node: InlineNode): FormatNode[] => {
    if (node.kind === 'text') return source.ranges(node).map((range) => ({ kind: 'text', ...range }));
    const { start, end } = node;
    const isBlock = node.kind === 'code' && /^```[\s\S]*\n/.test(joined.slice(start, end));
    const kind = isBlock ? 'codeBlock' : node.kind;
    return [{ kind, start: source.at(start), children: node.children.flatMap(convert), info: null }];
  };
  return parseInline(joined).flatMap(convert);
}

/** Lines that follow each other directly become one range. */
function joinLines(lines: Range[]): TextNode[] {
  const joined: TextNode[] = [];
  for (const { start, end } of lines) {
    const last = joined.at(-1);
    if (last?.end === start) last.end = end;
    else joined.push({ kind: 'text', start, end });
  }
  return joined;
}

/** Finds the place in the text of an offset in lines that were joined without the marks before them. */
class SourceMap {
  #parts: { from: number; start: number; end: number }[] = [];

  constructor(lines: Range[]) {
    let from = 0;
    for (const { start, end } of joinLines(lines)) {
      this.#parts.push({ from, start, end });
      from += end - start;
    }
  }

  at(offset: number): number {
    const part = this.#parts.findLast(({ from }) => from <= offset);
    return part ? part.start + offset - part.from : offset;
  }

  ranges({ start, end }: Range): Range[] {
    const found: Range[] = [];
    for (const part of this.#parts) {
      const cut = { start: part.start + Math.max(0, start - part.from), end: part.start + end - part.from };
      cut.end = Math.min(cut.end, part.end);
      if (cut.start < cut.end) found.push(cut);
    }
    return found;
  }
}
