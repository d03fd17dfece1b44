/** Draws the user's attention: with the unread count in the page title, and with notifications. */

import {
  type IncomingMessage,
  type NotificationsView,
  useMessenger,
  useNotifications,
  useUnread,
} from '@messenger/react';
import { useEffect } from 'react';
import { useT } from './i18n/language.tsx';
import { displayName } from './parts/UserName.tsx';
import { loadFormatter } from './text/formatter.ts';
import { previewOf } from './text/messagePreview.ts';
import { notificationText } from './text/notificationText.ts';

export function useUnreadAlerts(open: (id: string) => void): NotificationsView {
  const t = useT();
  const { session } = useMessenger();
  const { total } = useUnread();
  useEffect(() => {
    document.title = total > 0 ? `(${total}) ${t('app')}` : t('app');
  }, [total, t]);

  const describe = async ({ message, conversation }: IncomingMessage) => {
    const { sender_id: id } = message;
    const name = displayName(
      t,
      id,
      id === 0 ? null : ((await session.get()?.people.settledName(id)) ?? null),
    );
    const formatter = await loadFormatter(message.content ?? '');
    const body = previewOf(message, t, formatter?.withoutMarks);
    return notificationText(t('app'), [name, conversation.title], body);
  };
  return useNotifications({ describe, onOpen: open });
}
