/** Draws a message's text with its formatting. It is loaded when the first text needs it. */

import { type ReactNode, useMemo } from 'react';
import { type Atom, type AtomFields, atomsOf } from '../text/atoms.ts';
import { type FormatNode, type GroupNode, parseFormatting } from '../text/formatting/parse.ts';
import { TextRun } from './TextRun.tsx';

const TAGS = { strong: 'strong', emphasis: 'em', strike: 's', quote: 'blockquote' } as const;

export interface FormattedTextProps {
  text: string;
  atoms: readonly Atom[];
}

export function FormattedText({ text, atoms }: FormattedTextProps) {
  const nodes = useMemo(() => parseFormatting(text, atoms), [text, atoms]);
  return draw(nodes, text, atoms);
}

function draw(nodes: FormatNode[], text: string, atoms: readonly Atom[]): ReactNode {
  return nodes.map((node) =>
    node.kind === 'text' ? (
      <TextRun key={`text ${node.start}`} text={text} atoms={atoms} start={node.start} end={node.end} />
    ) : (
      drawGroup(node, text, atoms)
    ),
  );
}

/** Addresses in code are no links, but mentions in it notify too. Translators leave code alone. */
function drawGroup(node: GroupNode, text: string, atoms: readonly Atom[]): ReactNode {
  const { kind, start, children, info } = node;
  const key = `${kind} ${start}`;
  if (kind === 'code' || kind === 'codeBlock') {
    return (
      <code key={key} className={kind === 'code' ? 'code' : 'code code-block'} dir="auto" translate="no">
        {info && <span className="code-info">{text.slice(info.start, info.end)}</span>}
        {draw(
          children,
          text,
          atoms.filter(({ of }) => 'user' in of),
        )}
      </code>
    );
  }
  const Tag = TAGS[kind];
  return <Tag key={key}>{draw(children, text, atoms)}</Tag>;
}

/** Returns the text without the marks of its formatting. */
export function withoutMarks(text: string, fields?: AtomFields): string {
  const bare = (node: FormatNode): string => {
    if (node.kind === 'text') return text.slice(node.start, node.end);
    const info = node.info ? `${text.slice(node.info.start, node.info.end)}\n` : '';
    return info + node.children.map(bare).join('');
  };
  return parseFormatting(text, atomsOf(text, fields)).map(bare).join('');
}
