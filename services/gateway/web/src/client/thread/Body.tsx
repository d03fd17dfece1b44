/** Owns what a message says: its text, its file, and what it answers. */

import type { ChatMessage } from '@messenger/react';
import { usePersonName, useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';
import { SafeLink, Words } from '../parts/Words.tsx';

export function Body({ message }: { message: ChatMessage }) {
  const t = useT();
  if (message.deleted_at) {
    return (
      <p className="said gone">
        <Icon name="trash" /> {t('message.deleted')}
      </p>
    );
  }
  return (
    <>
      {message.file_url && (
        <p className="file">
          <Icon name="file" />
          <SafeLink url={message.file_url} text={message.file_name ?? message.file_url} />
        </p>
      )}
      {message.content && (
        <p className="said" dir="auto" data-testid="said">
          <Words text={message.content} />
        </p>
      )}
    </>
  );
}

const QUOTED_CHARS = 140;

export interface QuoteProps {
  quoted: ChatMessage | undefined;
  id: string;
  onGoTo: (id: string) => void;
}

/** What isn't loaded can't be shown, and is not fetched for its own sake. */
export function Quote({ quoted, id, onGoTo }: QuoteProps) {
  const t = useT();
  const name = usePersonName(quoted?.sender_id ?? null);
  if (!quoted) return <p className="quote">{t('message.quote.missing')}</p>;
  const text = quoted.deleted_at
    ? t('message.deleted')
    : (quoted.content ?? quoted.file_name ?? t('message.file'));
  const who = quoted.isMine ? t('you') : name;
  return (
    <button type="button" className="quote" tabIndex={-1} onClick={() => onGoTo(id)}>
      <span className="sr-only">{t('message.quote.go', { name: who })}</span>
      <strong>{who}</strong>
      <span dir="auto">{text.slice(0, QUOTED_CHARS)}</span>
    </button>
  );
}
