/** The button that goes to the next unread mention of the user, and says how many there are. */

import { useUnreadMentions } from '@messenger/react';
import { useRef } from 'react';
import { useT } from '../i18n/language.tsx';
import { FailureText } from '../parts/FailureText.tsx';
import { useAction } from '../parts/useAction.ts';

export interface JumpToMentionProps {
  id: string;
  onJump: (seq: number) => void;
}

export function JumpToMention({ id, onJump }: JumpToMentionProps) {
  const t = useT();
  const { count, next } = useUnreadMentions(id);
  const last = useRef(0);
  const { run, failure } = useAction();
  if (count === 0) return null;
  const jump = async () => {
    const seq = await next(last.current);
    if (seq === null) return;
    last.current = seq;
    onJump(seq);
  };
  return (
    <div className="jump-to-mention">
      <FailureText failure={failure} />
      <button type="button" title={t('mention.next')} onClick={() => void run(jump)}>
        <span aria-hidden="true">{`@ ${count}`}</span>
        <span className="sr-only">{`${t('mention.next')}: ${t('mention.unread', { count })}`}</span>
      </button>
    </div>
  );
}
