/** Owns one conversation in the list: what it is called, what was said last, what is new in it. */

import { type ConversationRow, useDraft, useOutbox, useSession, useTyping } from '@messenger/react';
import { memo } from 'react';
import { whenOf } from '../i18n/dates.ts';
import { useLanguage, usePersonName } from '../i18n/language.tsx';
import { Avatar, hueOf, initials, PresenceDot } from '../parts/Avatar.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useTitle } from '../parts/titles.ts';
import { useTypingText } from '../thread/TypingLine.tsx';

export interface ConversationItemProps {
  row: ConversationRow;
  isOpen: boolean;
  isCurrent: boolean;
  onOpen: (id: string) => void;
}

const MOST_SHOWN = 99;

export const ConversationItem = memo(function ConversationItem({
  row,
  isOpen,
  isCurrent,
  onOpen,
}: ConversationItemProps) {
  const { language, t } = useLanguage();
  const { title, other } = useTitle(row);
  const when = row.last_message?.created_at ?? row.created_at;
  const unread = row.unread;
  return (
    <button
      type="button"
      className="item"
      aria-current={isOpen ? 'page' : undefined}
      tabIndex={isCurrent ? 0 : -1}
      onClick={() => onOpen(row.id)}
    >
      <span className="avatar-box">
        <Avatar id={other ?? hueOf(row.id)} label={initials(title)} />
        <PresenceDot userId={other} />
      </span>
      <span className="item-text">
        <span className="item-line">
          <span className="item-title" dir="auto">
            {row.type === 'announcement' && <Icon name="megaphone" />}
            {title}
          </span>
          <time className="item-when" dateTime={when}>
            {whenOf(language, t, when)}
          </time>
        </span>
        <span className="item-line">
          <Said row={row} isOpen={isOpen} />
          {row.muted && (
            <span className="item-muted" role="img" aria-label={t('conversation.muted')}>
              <Icon name="mute" />
            </span>
          )}
          {unread > 0 && (
            <span className={row.muted ? 'badge muted' : 'badge'}>
              <span aria-hidden="true">{unread > MOST_SHOWN ? `${MOST_SHOWN}+` : unread}</span>
              <span className="sr-only">{t('conversation.unread', { count: unread })}</span>
            </span>
          )}
        </span>
      </span>
    </button>
  );
});

/** Who types, what failed, what was begun: whatever the user would want to know first. */
function Said({ row, isOpen }: { row: ConversationRow; isOpen: boolean }) {
  const { t } = useLanguage();
  const { typists } = useTyping(row.id);
  const typing = useTypingText(typists);
  const hasFailed = useOutbox().some((entry) => entry.conversation_id === row.id && entry.failure !== null);
  const draft = useDraft(row.id).text.trim();
  if (typing) return <span className="item-said typing">{typing}</span>;
  if (hasFailed) return <span className="item-said bad">{t('conversation.failed')}</span>;
  if (draft && !isOpen) {
    return (
      <span className="item-said" dir="auto">
        <span className="item-draft">{t('conversation.draft')}</span> {draft}
      </span>
    );
  }
  return <Last row={row} />;
}

function Last({ row }: { row: ConversationRow }) {
  const { t } = useLanguage();
  const me = useSession()?.me;
  const last = row.last_message;
  const name = usePersonName(last?.sender_id ?? null);
  if (!last) return <span className="item-said">{t('conversation.empty')}</span>;
  const text = last.deleted_at ? t('message.deleted') : (last.content ?? last.file_name ?? t('message.file'));
  const who = last.sender_id === me ? t('you') : row.type === 'direct' ? null : name;
  return (
    <span className="item-said" dir="auto">
      {who ? t('message.said', { name: who, text: text.slice(0, 120) }) : text.slice(0, 120)}
    </span>
  );
}
