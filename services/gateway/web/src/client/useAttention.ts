/** Owns calling for attention: the count in the title of the page, and notifications. */

import {
  type Incoming,
  type NotificationsView,
  useMessenger,
  useNotifications,
  useUnread,
} from '@messenger/react';
import { useEffect } from 'react';
import { useT } from './i18n/language.tsx';

const BODY_CHARS = 140;

export function useAttention(open: (id: string) => void): NotificationsView {
  const t = useT();
  const { session } = useMessenger();
  const { total } = useUnread();
  useEffect(() => {
    document.title = total > 0 ? `(${total}) ${t('app')}` : t('app');
  }, [total, t]);

  const nameOf = (id: number) => session.get()?.people.name(id).get() ?? t('user', { id: String(id) });
  const describe = ({ message, conversation }: Incoming) => {
    const name = nameOf(message.sender_id);
    const title = conversation.title ? `${name} · ${conversation.title}` : name;
    return { title, body: (message.content ?? message.file_name ?? t('message.file')).slice(0, BODY_CHARS) };
  };
  return useNotifications({ describe, onOpen: open });
}
