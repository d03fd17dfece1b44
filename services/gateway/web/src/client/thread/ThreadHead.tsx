/** Owns the head of a conversation: what it is called, who is there, the way to its details. */

import { type ConversationRow, usePresence } from '@messenger/react';
import { lazy, Suspense, useState } from 'react';
import { whenOf } from '../i18n/dates.ts';
import { useLanguage } from '../i18n/language.tsx';
import { Avatar, hueOf, initials, PresenceDot, shown } from '../parts/Avatar.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useTitle } from '../parts/titles.ts';

const Details = lazy(() => import('../dialogs/Details.tsx'));

export function ThreadHead({ row, onLeave }: { row: ConversationRow; onLeave: () => void }) {
  const { t } = useLanguage();
  const { title, other } = useTitle(row);
  const [isOpen, setOpen] = useState(false);
  return (
    <header className="thread-head">
      <button type="button" className="icon-button back" onClick={onLeave} title={t('back')}>
        <Icon name="back" />
        <span className="sr-only">{t('back')}</span>
      </button>
      <span className="avatar-box">
        <Avatar id={other ?? hueOf(row.id)} label={initials(title)} size="small" />
        <PresenceDot userId={other} />
      </span>
      <div className="thread-names">
        <h2 dir="auto">{title}</h2>
        <p className="quiet">
          <Under row={row} other={other} />
        </p>
      </div>
      <button
        type="button"
        className="icon-button"
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
        title={t('details')}
      >
        <Icon name="info" />
        <span className="sr-only">{t('details')}</span>
      </button>
      {isOpen && (
        <Suspense>
          <Details row={row} title={title} onClose={() => setOpen(false)} onLeft={onLeave} />
        </Suspense>
      )}
    </header>
  );
}

function Under({ row, other }: { row: ConversationRow; other: number | null }) {
  const { language, t } = useLanguage();
  const presence = usePresence(other);
  const status = shown(presence);
  if (row.type !== 'direct') return t('members', { count: row.participants_count });
  if (!status) return t('conversation.direct');
  const seen = presence?.last_seen_at;
  if (status === 'offline' && seen) return t('presence.seen', { when: whenOf(language, t, seen) });
  return t(`presence.${status}`);
}
