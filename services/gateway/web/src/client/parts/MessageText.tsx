/** Draws a message's text: formatted if it has marks, otherwise as it was typed. */

import { memo, useMemo } from 'react';
import { atomsOf } from '../text/atoms.ts';
import { useFormatter } from '../text/formatter.ts';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { TextRun } from './TextRun.tsx';

export const MessageText = memo(function MessageText({ text }: { text: string }) {
  const formatter = useFormatter(text);
  const atoms = useMemo(() => atomsOf(text), [text]);
  const typed = <TextRun text={text} atoms={atoms} start={0} end={text.length} />;
  if (!formatter) return typed;
  return (
    <ErrorBoundary resetKey={text} fallback={() => typed}>
      <formatter.FormattedText text={text} atoms={atoms} />
    </ErrorBoundary>
  );
});
