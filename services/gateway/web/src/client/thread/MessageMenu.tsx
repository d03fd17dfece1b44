/** Owns the menu of one message, and the questions that it leads to. */

import { type ChatMessage, type ConversationRow, type MessagesView, useParticipants } from '@messenger/react';
import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import type { IconName } from '../parts/Icon.tsx';
import { PopMenu } from '../parts/PopMenu.tsx';
import { type Act, actsOn } from './acts.ts';
import type { Aim } from './Thread.tsx';

// Dialogs are not needed for the first sight.
const DeleteMessage = lazy(() => import('../dialogs/DeleteMessage.tsx'));
const Readers = lazy(() => import('../dialogs/Readers.tsx'));

const ICONS: Record<Act, IconName> = {
  reply: 'reply',
  copy: 'copy',
  readers: 'checks',
  edit: 'edit',
  delete: 'trash',
};

export interface MessageMenuProps {
  message: ChatMessage;
  anchor: Element;
  row: ConversationRow;
  view: MessagesView;
  onAim: (aim: Aim) => void;
  onClose: () => void;
}

export function MessageMenu({ message, anchor, row, view, onAim, onClose }: MessageMenuProps) {
  const t = useT();
  const { role } = useParticipants(row.id);
  const [asked, setAsked] = useState<'readers' | 'delete' | null>(null);
  const acts = actsOn(message, row, role);
  const done = useCallback(
    (isLeft = false) => {
      onClose();
      // The message had the keyboard before.
      if (!isLeft) anchor.closest<HTMLElement>('[data-key]')?.focus({ preventScroll: true });
    },
    [anchor, onClose],
  );
  const isEmpty = acts.length === 0;
  useEffect(() => {
    if (isEmpty) onClose();
  }, [isEmpty, onClose]);

  const act = (what: Act) => {
    if (what === 'readers' || what === 'delete') return setAsked(what);
    onClose();
    if (what === 'copy') void navigator.clipboard?.writeText(message.content ?? '');
    else onAim({ kind: what, message });
  };

  if (asked !== null) {
    return (
      <Suspense>
        {asked === 'readers' && <Readers message={message} onClose={done} />}
        {asked === 'delete' && <DeleteMessage message={message} view={view} onClose={done} />}
      </Suspense>
    );
  }
  if (isEmpty) return null;
  return (
    <PopMenu
      label={t('message.actions')}
      anchor={anchor}
      align={message.isMine ? 'end' : 'start'}
      choices={acts.map((what) => ({
        key: what,
        icon: ICONS[what],
        label: t(`message.${what}`),
        isBad: what === 'delete',
        choose: () => act(what),
      }))}
      onClose={done}
    />
  );
}
