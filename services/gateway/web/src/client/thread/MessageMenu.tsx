/** The menu of one message, and the dialogs that it opens. */

import { type ChatMessage, type ConversationRow, type MessagesView, useParticipants } from '@messenger/react';
import { useCallback, useEffect, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import type { IconName } from '../parts/Icon.tsx';
import { LazyDialog, lazyDialog } from '../parts/LazyDialog.tsx';
import { PopupMenu } from '../parts/PopupMenu.tsx';
import { type MessageAction, messageActions } from './messageActions.ts';
import type { ComposerTarget } from './useComposerTarget.ts';

// Loaded later, because the first view does not need dialogs.
const actionDialog = lazyDialog(() => import('../dialogs/MessageActionDialog.tsx'));
const readers = lazyDialog(() => import('../dialogs/Readers.tsx'));

/** Actions that have a dialog, even if it appears only on failure. */
type DialogAction = 'readers' | 'unread' | 'delete';
const hasDialog = (action: MessageAction): action is DialogAction =>
  ['readers', 'unread', 'delete'].includes(action);

const ICONS: Record<MessageAction, IconName> = {
  reply: 'reply',
  copy: 'copy',
  readers: 'checks',
  unread: 'unread',
  edit: 'edit',
  delete: 'trash',
};

export interface MessageMenuProps {
  message: ChatMessage;
  anchor: Element;
  row: ConversationRow;
  view: MessagesView;
  onTarget: (target: ComposerTarget) => void;
  onClose: () => void;
}

export function MessageMenu({ message, anchor, row, view, onTarget, onClose }: MessageMenuProps) {
  const t = useT();
  const { role } = useParticipants(row.id);
  const [openDialog, setOpenDialog] = useState<DialogAction | null>(null);
  const actions = messageActions(message, row, role);
  const close = useCallback(
    (hasFocusMoved = false) => {
      onClose();
      // The message had the focus before.
      if (!hasFocusMoved) anchor.closest<HTMLElement>('[data-key]')?.focus({ preventScroll: true });
    },
    [anchor, onClose],
  );
  const isEmpty = actions.length === 0;
  useEffect(() => {
    if (isEmpty) onClose();
  }, [isEmpty, onClose]);

  const perform = (action: MessageAction) => {
    if (hasDialog(action)) return setOpenDialog(action);
    onClose();
    if (action === 'copy') void navigator.clipboard?.writeText(message.content ?? '');
    else onTarget({ kind: action, message });
  };

  if (openDialog === 'readers') return <LazyDialog loader={readers} props={{ message, onClose: close }} />;
  if (openDialog !== null)
    return <LazyDialog loader={actionDialog} props={{ action: openDialog, message, view, onClose: close }} />;
  if (isEmpty) return null;
  return (
    <PopupMenu
      label={t('message.actions')}
      anchor={anchor}
      align={message.isMine ? 'end' : 'start'}
      items={actions.map((action) => ({
        key: action,
        icon: ICONS[action],
        label: t(`message.${action}`),
        isDestructive: action === 'delete',
        onSelect: () => perform(action),
      }))}
      onClose={close}
    />
  );
}
