/** The left pane: the user, the search field, and the list of conversations or what the search has found. */

import {
  type NotificationsView,
  useConversations,
  useFeature,
  useSession,
  useWebSocket,
} from '@messenger/react';
import { useCallback, useRef, useState } from 'react';
import type { Access } from '../access/access.ts';
import { useT } from '../i18n/language.tsx';
import { Avatar } from '../parts/Avatar.tsx';
import { SafePart } from '../parts/ErrorFallback.tsx';
import { Icon } from '../parts/Icon.tsx';
import { LazyDialog, lazyDialog } from '../parts/LazyDialog.tsx';
import { PresenceDot } from '../parts/PresenceDot.tsx';
import type { useTheme } from '../parts/theme.ts';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { NameText, useNamedUser } from '../parts/UserName.tsx';
import { type ChosenFilters, isFiltered, NO_FILTERS } from '../search/filters.ts';
import { ConversationList } from './ConversationList.tsx';
import { type ResultsControl, SearchField } from './SearchField.tsx';

const searchPanel = lazyDialog(() => import('../search/SearchPanel.tsx'));
const settings = lazyDialog(() => import('../dialogs/Settings.tsx'));

export interface SidebarProps {
  open: string | null;
  onOpen: (id: string | null) => void;
  onOpenMessage: (id: string, messageId: string) => void;
  onStart: () => void;
  access: Access;
  theme: ReturnType<typeof useTheme>;
  notifications: NotificationsView;
}

export function Sidebar({ access, theme, notifications, ...props }: SidebarProps) {
  const t = useT();
  const me = useSession()?.me ?? null;
  const named = useNamedUser(me);
  const [isSettings, setSettings] = useState(false);
  const { isOnline } = useWebSocket();
  return (
    <nav className="sidebar" aria-label={t('conversations')}>
      <header className="sidebar-head">
        <button type="button" className="me" aria-haspopup="dialog" onClick={() => setSettings(true)}>
          <span className="avatar-box">
            {me === null ? <Avatar id={0} label="" size="small" /> : <UserAvatar id={me} />}
            {isOnline && <PresenceDot userId={me} />}
          </span>
          <span className="me-name" dir="auto">
            {me === null ? t('app') : <NameText {...named} />}
          </span>
          <span className="sr-only">{t('menu')}</span>
          <Icon name="down" />
        </button>
        <button
          type="button"
          className="icon-button primary"
          onClick={props.onStart}
          title={t('conversation.new')}
        >
          <Icon name="plus" />
          <span className="sr-only">{t('conversation.new')}</span>
        </button>
      </header>
      <Conversations {...props} />
      {isSettings && (
        <LazyDialog
          loader={settings}
          props={{ access, theme, notifications, onClose: () => setSettings(false) }}
        />
      )}
    </nav>
  );
}

/** The list, and the search in it. */
function Conversations(props: Pick<SidebarProps, 'open' | 'onOpen' | 'onOpenMessage' | 'onStart'>) {
  const { open, onOpen, onOpenMessage, onStart } = props;
  const { conversations } = useConversations();
  const canSearch = useFeature('search');
  const [text, setText] = useState('');
  const [filters, setFilters] = useState<ChosenFilters>(NO_FILTERS);
  const [active, setActive] = useState<{ listId: string; id: string | null } | null>(null);
  const control = useRef<ResultsControl>(null);
  const clear = useCallback(() => {
    setText('');
    setFilters(NO_FILTERS);
  }, []);
  const list = <ConversationList open={open} onOpen={onOpen} onStart={onStart} filter={text} />;
  const panel = { text, filters, open, control, onFilters: setFilters, onActive: setActive };
  return (
    <>
      {conversations.length > 0 && (
        <SearchField
          text={text}
          onText={setText}
          onFocus={() => canSearch && void searchPanel.load().catch(() => undefined)}
          onClear={clear}
          onReveal={() => onOpen(null)}
          listId={active?.listId ?? null}
          activeId={active?.id ?? null}
          control={control}
        />
      )}
      <SafePart>
        {canSearch && (text !== '' || isFiltered(filters)) ? (
          <LazyDialog
            loader={searchPanel}
            props={{ ...panel, onOpen, onOpenMessage, onClose: clear }}
            fallback={list}
          />
        ) : (
          list
        )}
      </SafePart>
    </>
  );
}
