/** Owns an open conversation: its head, its messages, the line of who types, and the composer. */

import { type ChatMessage, useConversation, useConversations, useMessages } from '@messenger/react';
import { useCallback, useRef, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { Composer } from './Composer.tsx';
import { MessageList } from './MessageList.tsx';
import { ThreadHead } from './ThreadHead.tsx';
import { TypingLine } from './TypingLine.tsx';

/** What the composer is for, besides a new message. */
export type Aim = { kind: 'reply' | 'edit'; message: ChatMessage } | null;

export interface ThreadProps {
  id: string;
  me: number;
  onLeave: () => void;
}

export function Thread({ id, me, onLeave }: ThreadProps) {
  const t = useT();
  const row = useConversation(id);
  const { status } = useConversations();
  const view = useMessages(id);
  const [aim, setAim] = useState<Aim>(null);
  const box = useRef<HTMLTextAreaElement>(null);
  const take = useCallback((next: Aim) => {
    setAim(next);
    box.current?.focus();
  }, []);
  if (!row) {
    return (
      <div className="blank">
        {status === 'ready' && <h2>{t('conversation.missing')}</h2>}
        <button type="button" className="button" onClick={onLeave}>
          {t('back')}
        </button>
      </div>
    );
  }
  return (
    <section className="thread" aria-label={t('messages')}>
      <ThreadHead row={row} onLeave={onLeave} />
      <MessageList row={row} me={me} view={view} onAim={take} />
      <TypingLine id={id} />
      <Composer row={row} view={view} aim={aim} onAim={take} box={box} />
    </section>
  );
}
