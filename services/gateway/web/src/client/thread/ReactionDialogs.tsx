/** The dialogs about the reactions to a message: the emoji picker, and who reacted. */

import { type ChatMessage, useReactions, useSession } from '@messenger/react';
import { useCallback } from 'react';
import { rememberEmoji } from '../emoji/emojiPreferences.ts';
import { useT } from '../i18n/language.tsx';
import { LazyDialog, lazyDialog } from '../parts/LazyDialog.tsx';

// Loaded later. The picker brings the list of all emoji.
const picker = lazyDialog(() => import('../dialogs/EmojiPicker.tsx'));
const who = lazyDialog(() => import('../dialogs/ReactingUsers.tsx'));

export type ReactionDialog =
  | { kind: 'pick'; message: ChatMessage }
  | { kind: 'who'; message: ChatMessage; emoji?: string };

export interface ReactionDialogsProps {
  dialog: ReactionDialog;
  onAnnounce: (text: string) => void;
  onClose: () => void;
}

export function ReactionDialogs({ dialog, onAnnounce, onClose }: ReactionDialogsProps) {
  const { message } = dialog;
  const choose = useChooseReaction(message, onAnnounce);
  const close = useCallback(() => {
    onClose();
    // What opened the dialog may be gone, so the message gets the focus.
    document
      .querySelector<HTMLElement>(`[data-key="${CSS.escape(message.key)}"]`)
      ?.focus({ preventScroll: true });
  }, [message.key, onClose]);
  if (dialog.kind === 'who')
    return <LazyDialog loader={who} props={{ message, emoji: dialog.emoji ?? null, onClose: close }} />;
  return <LazyDialog loader={picker} props={{ onChoose: choose, onClose: close }} />;
}

/** Returns a function that sets or removes the user's reaction, and says so to screen readers. */
export function useChooseReaction(
  message: ChatMessage,
  onAnnounce: (text: string) => void,
): (emoji: string) => void {
  const t = useT();
  const me = useSession()?.me ?? 0;
  const { toggle, mine } = useReactions(message.conversation_id, message.id);
  return (emoji) => {
    const isRemoved = mine.includes(emoji);
    toggle(emoji);
    if (!isRemoved) rememberEmoji(me, emoji);
    onAnnounce(t(isRemoved ? 'reactions.removed' : 'reactions.set', { emoji }));
  };
}
