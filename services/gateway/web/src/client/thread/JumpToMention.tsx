/** The button that goes to the next mention of the user, and says how many there are. */

import type { ChatMessage, ConversationRow } from '@messenger/react';
import { useT } from '../i18n/language.tsx';
import { usePendingMentions, type VisibleRange } from './usePendingMentions.ts';

export interface JumpToMentionProps {
  row: ConversationRow;
  messages: readonly ChatMessage[];
  visible: VisibleRange;
  onJump: (messageId: string) => void;
}

export function JumpToMention({ row, messages, visible, onJump }: JumpToMentionProps) {
  const t = useT();
  const pending = usePendingMentions(row, messages, visible);
  const [next] = pending;
  if (next === undefined) return null;
  return (
    <button
      type="button"
      className="jump-to-mention"
      title={t('mention.next')}
      onClick={() => onJump(next.id)}
    >
      <span aria-hidden="true">{`@ ${pending.length}`}</span>
      <span className="sr-only">
        {`${t('mention.next')}: ${t('mention.unread', { count: pending.length })}`}
      </span>
    </button>
  );
}
