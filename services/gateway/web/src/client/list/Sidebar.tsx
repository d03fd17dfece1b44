/** The left pane: the user, the search field, and the list of conversations. */

import { type NotificationsView, useConversations, useSession, useWebSocket } from '@messenger/react';
import { useState } from 'react';
import type { Access } from '../access/access.ts';
import { useT } from '../i18n/language.tsx';
import { Avatar } from '../parts/Avatar.tsx';
import { SafePart } from '../parts/ErrorFallback.tsx';
import { Icon } from '../parts/Icon.tsx';
import { LazyDialog, lazyDialog } from '../parts/LazyDialog.tsx';
import { PresenceDot } from '../parts/PresenceDot.tsx';
import { TextField } from '../parts/TextField.tsx';
import type { useTheme } from '../parts/theme.ts';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { NameText, useNamedUser } from '../parts/UserName.tsx';
import { ConversationList } from './ConversationList.tsx';

const settings = lazyDialog(() => import('../dialogs/Settings.tsx'));

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
  const named = useNamedUser(me);
  const [filter, setFilter] = useState('');
  const [isSettings, setSettings] = useState(false);
  const { conversations } = useConversations();
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
        <button type="button" className="icon-button primary" onClick={onStart} title={t('conversation.new')}>
          <Icon name="plus" />
          <span className="sr-only">{t('conversation.new')}</span>
        </button>
      </header>
      {conversations.length > 0 && (
        <div className="search">
          <Icon name="search" />
          <TextField
            type="search"
            aria-label={t('conversations.filter')}
            placeholder={t('conversations.filter')}
            value={filter}
            onText={setFilter}
          />
        </div>
      )}
      <SafePart>
        <ConversationList open={open} onOpen={onOpen} onStart={onStart} filter={filter} />
      </SafePart>
      {isSettings && (
        <LazyDialog
          loader={settings}
          props={{ access, theme, notifications, onClose: () => setSettings(false) }}
        />
      )}
    </nav>
  );
}
