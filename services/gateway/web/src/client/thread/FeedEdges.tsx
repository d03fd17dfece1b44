/** What is above and below the loaded messages: how loading goes, and the way to the newest message. */

import type { ConversationRow, MessagesView } from '@messenger/react';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';

/** The text above the messages: there are older ones, there are none, or loading failed. */
export function FeedTop({ view }: { view: MessagesView }) {
  const t = useT();
  if (view.status === 'loading' || view.status === 'empty')
    return <p className="feed-top quiet">{t('messages.loading')}</p>;
  if (view.failure) {
    return (
      <p className="feed-top failed" role="alert">
        <span>{`${t(view.status === 'failed' ? 'messages.failed' : 'messages.older.failed')} `}</span>
        <button
          type="button"
          className="button small"
          onClick={view.status === 'failed' ? view.reload : view.loadOlder}
        >
          {t('tryAgain')}
        </button>
      </p>
    );
  }
  if (view.isLoadingOlder) return <p className="feed-top quiet">{t('messages.older')}</p>;
  if (view.hasOlder) return <p className="feed-top" />;
  return <p className="feed-top quiet">{t(view.messages.length ? 'messages.begin' : 'messages.none')}</p>;
}

export function JumpToNewest({ row, onClick }: { row: ConversationRow; onClick: () => void }) {
  const t = useT();
  return (
    <button type="button" className="jump-to-newest" onClick={onClick} title={t('messages.newest')}>
      {row.unread > 0 && <span>{t('messages.more', { count: row.unread })}</span>}
      <Icon name="down" />
      <span className="sr-only">{t('messages.newest')}</span>
    </button>
  );
}
