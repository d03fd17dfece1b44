/** The menu of one message, and the dialogs that it opens. */

import {
  type ChatMessage,
  type ConversationRow,
  type MessagesView,
  useFeature,
  useParticipants,
  usePins,
  useReactions,
} from '@messenger/react';
import { useCallback, useEffect, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import type { IconName } from '../parts/Icon.tsx';
import { LazyDialog, lazyDialog } from '../parts/LazyDialog.tsx';
import { PopupMenu } from '../parts/PopupMenu.tsx';
import { type MessageAction, messageActions } from './messageActions.ts';
import { QuickReactions } from './QuickReactions.tsx';
import { type ReactionDialog, useChooseReaction } from './ReactionDialogs.tsx';
import type { ComposerTarget } from './useComposerTarget.ts';

// Loaded later, because the first view does not need dialogs.
const actionDialog = lazyDialog(() => import('../dialogs/MessageActionDialog.tsx'));
const readers = lazyDialog(() => import('../dialogs/Readers.tsx'));

/** Actions that have a dialog, even if it appears only on failure. */
type DialogAction = 'readers' | 'unread' | 'pin' | 'unpin' | 'delete';
const hasDialog = (action: MessageAction): action is DialogAction =>
  ['readers', 'unread', 'pin', 'unpin', 'delete'].includes(action);

const ICONS: Record<MessageAction, IconName> = {
  reply: 'reply',
  copy: 'copy',
  reactions: 'smile',
  readers: 'checks',
  unread: 'unread',
  pin: 'pin',
  unpin: 'pin',
  edit: 'edit',
  delete: 'trash',
};

export interface MessageMenuProps {
  message: ChatMessage;
  anchor: Element;
  row: ConversationRow;
  view: MessagesView;
  onTarget: (target: ComposerTarget) => void;
  onReactionDialog: (dialog: ReactionDialog) => void;
  onAnnounce: (text: string) => void;
  onClose: () => void;
}

export function MessageMenu(props: MessageMenuProps) {
  const { message, anchor, row, view, onTarget, onReactionDialog, onClose } = props;
  const t = useT();
  const { role } = useParticipants(row.id);
  const [openDialog, setOpenDialog] = useState<DialogAction | null>(null);
  const reactions = useReactions(row.id, message.id);
  const choose = useChooseReaction(message, props.onAnnounce);
  const canReact = useFeature('reactions');
  const hasPins = useFeature('pins');
  const pins = usePins(row.id);
  const actions = messageActions(message, row, role, {
    hasReactions: reactions.reactions.length > 0,
    isPinned: hasPins ? pins.isPinned(message.id) : null,
  });
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
    if (action === 'reactions') onReactionDialog({ kind: 'who', message });
    else if (action === 'copy') void navigator.clipboard?.writeText(message.content ?? '');
    else onTarget({ kind: action, message });
  };

  if (openDialog === 'readers') return <LazyDialog loader={readers} props={{ message, onClose: close }} />;
  if (openDialog !== null)
    return (
      <LazyDialog loader={actionDialog} props={{ action: openDialog, message, view, pins, onClose: close }} />
    );
  if (isEmpty) return null;
  return (
    <PopupMenu
      label={t('message.actions')}
      anchor={anchor}
      align={message.isMine ? 'end' : 'start'}
      head={
        canReact && (
          <QuickReactions
            view={reactions}
            isInMenu
            onChoose={(emoji) => {
              close();
              choose(emoji);
            }}
            onMore={() => {
              onClose();
              onReactionDialog({ kind: 'pick', message });
            }}
          />
        )
      }
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
