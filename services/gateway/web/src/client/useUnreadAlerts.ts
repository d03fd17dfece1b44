/** Draws the user's attention: with the unread count in the page title, and with notifications. */

import {
  type IncomingMessage,
  isBlank,
  type NotificationsView,
  useMessenger,
  useNotifications,
  useUnread,
} from '@messenger/react';
import { useEffect } from 'react';
import { useT } from './i18n/language.tsx';
import { displayName } from './parts/UserName.tsx';
import { isolateBidi, stripBidiControls } from './text/bidi.ts';
import { loadFormatter } from './text/formatter.ts';
import { truncate } from './text/graphemes.ts';
import { previewOf } from './text/messagePreview.ts';

const BODY_CHARS = 140;

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
    const names = isBlank(conversation.title) ? [name] : [name, conversation.title ?? ''];
    const formatter = await loadFormatter(message.content ?? '');
    return {
      title: names.map(isolateBidi).join(' · '),
      body: truncate(stripBidiControls(previewOf(message, t, formatter?.withoutMarks)), BODY_CHARS),
    };
  };
  return useNotifications({ describe, onOpen: open });
}
