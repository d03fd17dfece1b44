/**
 * Announces new messages of the open conversation to screen readers. The list itself cannot, because its
 * items come and go as it scrolls.
 */

import type { ChatMessage } from '@messenger/react';
import { useEffect, useRef, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { useNamedUser } from '../parts/UserName.tsx';
import { usePreview } from '../parts/usePreview.ts';

export function Announcer({ messages, isReady }: { messages: readonly ChatMessage[]; isReady: boolean }) {
  const t = useT();
  const newest = messages.at(-1);
  const lastSeq = useRef<number | null>(null);
  const [announced, setAnnounced] = useState<ChatMessage | null>(null);
  useEffect(() => {
    if (!isReady || !newest) return;
    const isNew = lastSeq.current !== null && newest.seq > lastSeq.current && !newest.isMine;
    lastSeq.current = Math.max(lastSeq.current ?? 0, newest.seq);
    if (isNew) setAnnounced(newest);
  }, [isReady, newest]);
  // It is announced once, with the name.
  const { name, isLoading } = useNamedUser(announced?.sender_id ?? null);
  const text = usePreview(announced);
  return (
    <div className="sr-only" aria-live="polite">
      {announced && !isLoading && t('message.preview', { name, text })}
    </div>
  );
}
