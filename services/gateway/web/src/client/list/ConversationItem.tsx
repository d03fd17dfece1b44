/** One conversation in the list: its title, its last message, and its unread count. */

import { type ConversationRow, isBlank, useDraft, useOutbox, useSession, useTyping } from '@messenger/react';
import { memo } from 'react';
import { formatShortDate } from '../i18n/dates.ts';
import { useLanguage } from '../i18n/language.tsx';
import { useToday } from '../i18n/today.ts';
import { useTitle } from '../parts/conversationTitle.ts';
import { Icon } from '../parts/Icon.tsx';
import { ConversationAvatar } from '../parts/UserAvatar.tsx';
import { NameSkeleton, NameText, useNamedUser } from '../parts/UserName.tsx';
import { usePreview } from '../parts/usePreview.ts';
import { truncate } from '../text/graphemes.ts';
import { useTypingText } from '../thread/TypingLine.tsx';

export interface ConversationItemProps {
  row: ConversationRow;
  isOpen: boolean;
  isCurrent: boolean;
  onOpen: (id: string) => void;
}

const MAX_SHOWN = 99;
const PREVIEW_CHARS = 120;

export const ConversationItem = memo(function ConversationItem({
  row,
  isOpen,
  isCurrent,
  onOpen,
}: ConversationItemProps) {
  return (
    <button
      type="button"
      className="item"
      aria-current={isOpen ? 'page' : undefined}
      tabIndex={isCurrent ? 0 : -1}
      onClick={() => onOpen(row.id)}
    >
      <ConversationContent row={row} isOpen={isOpen} />
    </button>
  );
});

/** What the list shows of a conversation. */
export function ConversationContent({ row, isOpen }: { row: ConversationRow; isOpen: boolean }) {
  const { language, t } = useLanguage();
  const today = useToday();
  const named = useTitle(row);
  const when = row.last_message?.created_at ?? row.created_at;
  const unread = row.unread;
  return (
    <>
      <ConversationAvatar row={row} named={named} size="normal" />
      <span className="item-text">
        <span className="item-line">
          <span className="item-title" dir="auto">
            {row.type === 'announcement' && <Icon name="megaphone" />}
            <NameText name={named.title} isLoading={named.isLoading} />
          </span>
          <time className="item-when" dateTime={when}>
            {formatShortDate(language, t, when, today)}
          </time>
        </span>
        <span className="item-line">
          <Preview row={row} isOpen={isOpen} />
          {row.muted && (
            <span className="item-muted" role="img" aria-label={t('conversation.muted')}>
              <Icon name="mute" />
            </span>
          )}
          {row.unread_mentions > 0 && (
            <span className="badge mentioned">
              <span aria-hidden="true">@</span>
              <span className="sr-only">{t('mention.unread', { count: row.unread_mentions })}</span>
            </span>
          )}
          {unread > 0 && (
            <span className={row.muted ? 'badge muted' : 'badge'}>
              <span aria-hidden="true">{unread > MAX_SHOWN ? `${MAX_SHOWN}+` : unread}</span>
              <span className="sr-only">{t('conversation.unread', { count: unread })}</span>
            </span>
          )}
          {unread === 0 && row.marked_unread_from !== null && (
            <span
              className={row.muted ? 'badge marked muted' : 'badge marked'}
              role="img"
              aria-label={t('conversation.marked')}
            />
          )}
        </span>
      </span>
    </>
  );
}

/** Shows what matters most to the user: who is typing, a failed message, a draft, or the last message. */
function Preview({ row, isOpen }: { row: ConversationRow; isOpen: boolean }) {
  const { t } = useLanguage();
  const { typists } = useTyping(row.id);
  const typing = useTypingText(typists);
  const hasFailed = useOutbox().some((entry) => entry.conversation_id === row.id && entry.failure !== null);
  const draft = useDraft(row.id).text;
  if (typing) return <span className="item-preview typing">{typing}</span>;
  if (hasFailed) return <span className="item-preview bad">{t('conversation.failed')}</span>;
  if (!isBlank(draft) && !isOpen) {
    return (
      <span className="item-preview" dir="auto">
        <span className="item-draft">{t('conversation.draft')}</span>
        <span> </span>
        <bdi>{truncate(draft.trim(), PREVIEW_CHARS)}</bdi>
      </span>
    );
  }
  return <LastMessage row={row} />;
}

function LastMessage({ row }: { row: ConversationRow }) {
  const { t } = useLanguage();
  const me = useSession()?.me;
  const last = row.last_message;
  const { name, isLoading } = useNamedUser(last?.sender_id ?? null);
  const text = truncate(usePreview(last), PREVIEW_CHARS);
  if (!last) return <span className="item-preview">{t('conversation.empty')}</span>;
  const who = last.sender_id === me ? t('you') : row.type === 'direct' ? null : name;
  if (who === name && isLoading) {
    return (
      <span className="item-preview">
        <NameSkeleton />
        <bdi>{text}</bdi>
      </span>
    );
  }
  return (
    <span className="item-preview" dir="auto">
      {who ? t('message.preview', { name: who, text }) : text}
    </span>
  );
}
