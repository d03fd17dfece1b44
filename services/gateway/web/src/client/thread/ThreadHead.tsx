/**
 * The header of a conversation: its name, the presence or the number of members, and the button for its
 * details.
 */

import { type ConversationRow, usePresence } from '@messenger/react';
import { useState } from 'react';
import { formatShortDate } from '../i18n/dates.ts';
import { useLanguage } from '../i18n/language.tsx';
import { useToday } from '../i18n/today.ts';
import { isNotes, useTitle } from '../parts/conversationTitle.ts';
import { Icon } from '../parts/Icon.tsx';
import { LazyDialog, lazyDialog } from '../parts/LazyDialog.tsx';
import { visibleStatus } from '../parts/PresenceDot.tsx';
import { IS_MAC } from '../parts/shortcuts.ts';
import { ConversationAvatar } from '../parts/UserAvatar.tsx';
import { NameText } from '../parts/UserName.tsx';

const details = lazyDialog(() => import('../dialogs/Details.tsx'));

export interface ThreadHeadProps {
  row: ConversationRow;
  /** Whether something else is shown in its place. */
  isHidden: boolean;
  /** Starts to find words in the conversation. Undefined if the gateway cannot. */
  onFind: (() => void) | undefined;
  onLeave: () => void;
}

export function ThreadHead({ row, isHidden, onFind, onLeave }: ThreadHeadProps) {
  const { t } = useLanguage();
  const named = useTitle(row);
  const { title, other, isLoading } = named;
  const [isOpen, setOpen] = useState(false);
  return (
    <header className="thread-head" inert={isHidden}>
      <button type="button" className="icon-button back" onClick={onLeave} title={t('back')}>
        <Icon name="back" />
        <span className="sr-only">{t('back')}</span>
      </button>
      <ConversationAvatar row={row} named={named} size="small" />
      <div className="thread-names">
        <h2 dir="auto">
          <NameText name={title} isLoading={isLoading} />
        </h2>
        <Subtitle row={row} other={other} />
      </div>
      {onFind && (
        <button
          type="button"
          className="icon-button"
          onClick={onFind}
          title={t('find.open')}
          aria-keyshortcuts={IS_MAC ? 'Meta+F' : 'Control+F'}
        >
          <Icon name="search" />
          <span className="sr-only">{t('find.open')}</span>
        </button>
      )}
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
        <LazyDialog loader={details} props={{ row, title, onClose: () => setOpen(false), onLeft: onLeave }} />
      )}
    </header>
  );
}

function Subtitle({ row, other }: { row: ConversationRow; other: number | null }) {
  const { language, t } = useLanguage();
  const today = useToday();
  const presence = usePresence(other);
  const status = visibleStatus(presence);
  const seen = presence?.last_seen_at;
  const subtitle = () => {
    if (row.type !== 'direct') return t('members', { count: row.participants_count });
    if (isNotes(row)) return t('conversation.notes.about');
    if (!status) return t('conversation.direct');
    if (status === 'offline' && seen)
      return t('presence.seen', { when: formatShortDate(language, t, seen, today) });
    return t(`presence.${status}`);
  };
  return <p className="quiet">{subtitle()}</p>;
}
