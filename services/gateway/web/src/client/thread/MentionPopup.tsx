/** Shows the list of members while a name is typed behind an `@`, once the list is loaded. */

import type { ChatMessage, ConversationRow, UserId } from '@messenger/react';
import { type RefObject, useEffect, useMemo, useState } from 'react';
import { ErrorBoundary } from '../parts/ErrorBoundary.tsx';
import type { MentionList, MentionOption } from './MentionList.tsx';
import type { ComposerMentions } from './useComposerMentions.ts';

export interface MentionPopupProps {
  id: string;
  row: ConversationRow;
  messages: readonly ChatMessage[];
  mentions: ComposerMentions;
  anchor: RefObject<HTMLElement | null>;
  onPick: (option: MentionOption) => void;
}

/** From this many messages it is known who has written lately. */
const LATELY = 50;

let loaded: typeof MentionList | null = null;

export function MentionPopup({ id, row, messages, mentions, anchor, onPick }: MentionPopupProps) {
  const [List, setList] = useState(() => loaded);
  const { query, list, setActive } = mentions;
  const isWanted = query !== null;
  // The first name may be typed fast, so the list is loaded before.
  // biome-ignore lint/correctness/useExhaustiveDependencies: after a failure the next @ tries again
  useEffect(() => {
    if (loaded) return setList(() => loaded);
    import('./MentionList.tsx').then(
      (module) => {
        loaded = module.MentionList;
        setList(() => loaded);
      },
      // Without the list, names can still be typed.
      () => undefined,
    );
  }, [isWanted]);
  const recent = useMemo(() => (isWanted ? recentSenders(messages) : []), [isWanted, messages]);
  if (!List || query === null) return null;
  return (
    <ErrorBoundary fallback={() => null}>
      <List
        id={id}
        row={row}
        query={query.text}
        anchor={anchor}
        recent={recent}
        control={list}
        onPick={onPick}
        onActive={setActive}
      />
    </ErrorBoundary>
  );
}

function recentSenders(messages: readonly ChatMessage[]): UserId[] {
  const ids = messages.slice(-LATELY).map((message) => message.sender_id);
  return [...new Set(ids.reverse())];
}
