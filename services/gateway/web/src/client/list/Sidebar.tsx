/** Owns the left pane: who the user is, the search, the list of conversations. */

import { type NotificationsView, useConversations, useSession, useWebSocket } from '@messenger/react';
import { lazy, Suspense, useState } from 'react';
import type { Access } from '../access/access.ts';
import { usePersonName, useT } from '../i18n/language.tsx';
import { Avatar, initials, PresenceDot } from '../parts/Avatar.tsx';
import { Icon } from '../parts/Icon.tsx';
import type { useTheme } from '../parts/theme.ts';
import { ConversationList } from './ConversationList.tsx';

const Settings = lazy(() => import('../dialogs/Settings.tsx'));

export interface SidebarProps {
  open: string | null;
  onOpen: (id: string) => void;
  onStart: () => void;
  access: Access;
  theme: ReturnType<typeof useTheme>;
  notifications: NotificationsView;
}

export function Sidebar({ open, onOpen, onStart, access, theme, notifications }: SidebarProps) {
  const t = useT();
  const me = useSession()?.me ?? null;
  const name = usePersonName(me);
  const [filter, setFilter] = useState('');
  const [isSettings, setSettings] = useState(false);
  const { conversations } = useConversations();
  const { isOnline } = useWebSocket();
  return (
    <nav className="sidebar" aria-label={t('conversations')}>
      <header className="sidebar-head">
        <button type="button" className="me" aria-haspopup="dialog" onClick={() => setSettings(true)}>
          <span className="avatar-box">
            <Avatar id={me ?? 0} label={initials(name)} size="small" />
            {isOnline && <PresenceDot userId={me} />}
          </span>
          <span className="me-name">{name || t('app')}</span>
          <span className="sr-only">{t('menu')}</span>
          <Icon name="down" />
        </button>
        <button type="button" className="icon-button primary" onClick={onStart} title={t('conversation.new')}>
          <Icon name="plus" />
          <span className="sr-only">{t('conversation.new')}</span>
        </button>
      </header>
      {conversations.length > 0 && (
        <div className="search">
          <Icon name="search" />
          <input
            type="search"
            className="field"
            aria-label={t('conversations.filter')}
            placeholder={t('conversations.filter')}
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
          />
        </div>
      )}
      <ConversationList open={open} onOpen={onOpen} onStart={onStart} filter={filter} />
      {isSettings && (
        <Suspense>
          <Settings
            access={access}
            theme={theme}
            notifications={notifications}
            onClose={() => setSettings(false)}
          />
        </Suspense>
      )}
    </nav>
  );
}
