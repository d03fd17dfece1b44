/** Draws a message's text: formatted if it has marks, otherwise as it was typed. */

import { memo, useMemo } from 'react';
import { type AtomFields, atomsOf } from '../text/atoms.ts';
import { useFormatter } from '../text/formatter.ts';
import { NO_PLACES, type Places } from '../text/markedParts.ts';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { MarkedPlaces } from './MarkedText.tsx';
import { TextRun } from './TextRun.tsx';

export interface MessageTextProps extends AtomFields {
  text: string;
  /** What a search has found in it. */
  places?: Places | undefined;
}

export const MessageText = memo(function MessageText(props: MessageTextProps) {
  const { text, entities, mentions, places = NO_PLACES } = props;
  const formatter = useFormatter(text);
  const atoms = useMemo(() => atomsOf(text, { entities, mentions }), [text, entities, mentions]);
  const typed = <TextRun text={text} atoms={atoms} start={0} end={text.length} />;
  const formatted = formatter && (
    <ErrorBoundary resetKey={text} fallback={() => typed}>
      <formatter.FormattedText text={text} atoms={atoms} />
    </ErrorBoundary>
  );
  return <MarkedPlaces value={places}>{formatted ?? typed}</MarkedPlaces>;
});
