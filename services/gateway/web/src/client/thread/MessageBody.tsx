/** The content of a message: its text, its files, and the message that it answers. */

import { type ChatMessage, isBlank } from '@messenger/react';
import { Attachments } from '../files/Attachments.tsx';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';
import { MessageText } from '../parts/MessageText.tsx';
import { SafeLink } from '../parts/TextRun.tsx';
import { NameText, useNamedUser } from '../parts/UserName.tsx';
import { usePreview } from '../parts/usePreview.ts';
import { isEmojiOnly } from '../text/emoji.ts';
import { truncate } from '../text/graphemes.ts';
import { fileName, previewOf } from '../text/messagePreview.ts';
import type { MessageMarks } from './marks.ts';

export interface MessageBodyProps {
  message: ChatMessage;
  marks: MessageMarks | undefined;
  isCurrent: boolean;
  onDiscard: (id: string) => void;
}

export function MessageBody({ message, marks, isCurrent, onDiscard }: MessageBodyProps) {
  const t = useT();
  if (message.deleted_at) {
    return (
      <p className="message-text placeholder">
        <Icon name="trash" />
        <span>{` ${t('message.deleted')}`}</span>
      </p>
    );
  }
  const { content, file_url: url, attachments = [] } = message;
  return (
    <>
      {url && (
        <p className="file">
          <Icon name="file" />
          <SafeLink url={url} text={fileName(message.file_name) ?? url} />
        </p>
      )}
      {attachments.length > 0 && <Attachments message={message} isCurrent={isCurrent} onCancel={onDiscard} />}
      {content && !isBlank(content) && (
        <div
          className={isEmojiOnly(content) ? 'message-text emoji-only' : 'message-text'}
          dir="auto"
          data-testid="message-text"
        >
          <MessageText
            text={content}
            entities={message.entities}
            mentions={message.mentions}
            places={marks?.places}
          />
        </div>
      )}
      {!url && attachments.length === 0 && isBlank(content) && (
        <p className="message-text placeholder">{previewOf(message, t)}</p>
      )}
    </>
  );
}

const QUOTED_CHARS = 140;

export interface QuoteProps {
  quoted: ChatMessage | undefined;
  onGoTo: (messageId: string) => void;
}

/** A message that is not loaded cannot be quoted, and is not loaded just for the quote. */
export function Quote({ quoted, onGoTo }: QuoteProps) {
  const t = useT();
  const sender = useNamedUser(quoted?.sender_id ?? null);
  const preview = usePreview(quoted);
  if (!quoted) return <p className="quote">{t('message.quote.missing')}</p>;
  const who = quoted.isMine ? { name: t('you'), isLoading: false } : sender;
  return (
    <button type="button" className="quote" tabIndex={-1} onClick={() => onGoTo(quoted.id)}>
      <span className="sr-only">{t('message.quote.go', { name: who.name })}</span>
      <strong dir="auto">
        <NameText {...who} />
      </strong>
      <span dir="auto">{truncate(preview, QUOTED_CHARS)}</span>
    </button>
  );
}
