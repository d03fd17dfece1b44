/** Draws a message's text: formatted if it has marks, otherwise as it was typed. */

import { memo, useMemo } from 'react';
import { type AtomFields, atomsOf } from '../text/atoms.ts';
import { useFormatter } from '../text/formatter.ts';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { TextRun } from './TextRun.tsx';

export interface MessageTextProps extends AtomFields {
  text: string;
}

export const MessageText = memo(function MessageText({ text, entities, mentions }: MessageTextProps) {
  const formatter = useFormatter(text);
  const atoms = useMemo(() => atomsOf(text, { entities, mentions }), [text, entities, mentions]);
  const typed = <TextRun text={text} atoms={atoms} start={0} end={text.length} />;
  if (!formatter) return typed;
  return (
    <ErrorBoundary resetKey={text} fallback={() => typed}>
      <formatter.FormattedText text={text} atoms={atoms} />
    </ErrorBoundary>
  );
});
