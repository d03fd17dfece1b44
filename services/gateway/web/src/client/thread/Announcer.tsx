/** Owns reading out what others say in the open conversation: the list itself comes and goes as it scrolls. */

import type { ChatMessage } from '@messenger/react';
import { useEffect, useRef, useState } from 'react';
import { usePersonName, useT } from '../i18n/language.tsx';

export function Announcer({ messages, isReady }: { messages: readonly ChatMessage[]; isReady: boolean }) {
  const t = useT();
  const newest = messages.at(-1);
  const heard = useRef<number | null>(null);
  const [said, setSaid] = useState<ChatMessage | null>(null);
  useEffect(() => {
    if (!isReady || !newest) return;
    const isNew = heard.current !== null && newest.seq > heard.current && !newest.isMine;
    heard.current = Math.max(heard.current ?? 0, newest.seq);
    if (isNew) setSaid(newest);
  }, [isReady, newest]);
  const name = usePersonName(said?.sender_id ?? null);
  return (
    <div className="sr-only" aria-live="polite">
      {said && t('message.said', { name, text: said.content ?? said.file_name ?? t('message.file') })}
    </div>
  );
}
