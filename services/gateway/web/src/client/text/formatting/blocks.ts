/**
 * Splits a message's text into quotes, code blocks and running text. A quote has `> ` before each line, so
 * that faces such as >_< stay text. A code block is between two lines of backticks.
 */

import type { Range } from './ranges.ts';

export interface Block {
  kind: 'text' | 'quote' | 'codeBlock';
  /** The lines without the marks of quotes, each with its line ending. */
  lines: Range[];
  /** The blocks in a quote. */
  blocks: Block[];
  /** What is written behind the first backticks of a code block. */
  info: Range | null;
}

/** Marks that are nested deeper stay as they were typed. */
const MAX_DEPTH = 4;
const QUOTE = /^ {0,3}>(?=>*(?: |\r?\n?$)) ?/;
const FENCE = /^ {0,3}(`{3,})[ \t]*([^`\r\n]*?)[ \t]*\r?\n$/;
const FENCE_END = /^ {0,3}(`{3,})[ \t]*\r?\n?$/;

export function splitBlocks(text: string): Block[] {
  return new Splitter(text).split(linesOf(text), 0);
}

function linesOf(text: string): Range[] {
  const lines: Range[] = [];
  for (const { index: start, 0: line } of text.matchAll(/[^\n]*\n|[^\n]+$/g))
    lines.push({ start, end: start + line.length });
  return lines;
}

/** A block, or null for running text, and how many lines it takes. */
type BlockAndLines = [Block | null, number];

class Splitter {
  #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  split(lines: Range[], depth: number): Block[] {
    const blocks: Block[] = [];
    for (let at = 0; at < lines.length; ) {
      const [block, count] = this.#codeBlockAt(lines, at) ?? this.#quoteAt(lines, at, depth) ?? [null, 1];
      if (block) blocks.push(block);
      else addLines(blocks, lines.slice(at, at + count));
      at += count;
    }
    return blocks;
  }

  #codeBlockAt(lines: Range[], at: number): BlockAndLines | null {
    const first = lines[at] as Range;
    const [opening, ticks = '', info = ''] = FENCE.exec(this.#slice(first)) ?? [];
    if (opening === undefined) return null;
    const isEnd = (line: Range) => (FENCE_END.exec(this.#slice(line))?.[1] ?? '').length >= ticks.length;
    const count = lines.slice(at + 1).findIndex(isEnd);
    if (count < 0) return null;
    const start = first.start + opening.indexOf(info, opening.indexOf(ticks) + ticks.length);
    const block: Block = {
      kind: 'codeBlock',
      lines: lines.slice(at + 1, at + 1 + count),
      blocks: [],
      info: info ? { start, end: start + info.length } : null,
    };
    return [block, count + 2];
  }

  #quoteAt(lines: Range[], at: number, depth: number): BlockAndLines | null {
    if (depth >= MAX_DEPTH) return null;
    const inner: Range[] = [];
    for (let line = lines[at]; line; line = lines[at + inner.length]) {
      const [mark] = QUOTE.exec(this.#slice(line)) ?? [];
      if (mark === undefined) break;
      inner.push({ start: line.start + mark.length, end: line.end });
    }
    if (inner.length === 0) return null;
    // Marks without any text are no quote.
    if (inner.every((line) => /^[>\s]*$/.test(this.#slice(line)))) return [null, inner.length];
    return [{ kind: 'quote', lines: inner, blocks: this.split(inner, depth + 1), info: null }, inner.length];
  }

  #slice({ start, end }: Range): string {
    return this.#text.slice(start, end);
  }
}

function addLines(blocks: Block[], lines: Range[]): void {
  const last = blocks.at(-1);
  if (last?.kind === 'text') last.lines.push(...lines);
  else blocks.push({ kind: 'text', lines, blocks: [], info: null });
}
