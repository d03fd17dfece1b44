/** Decides what the user can do with a message. Actions that the gateway would refuse are not offered. */

import { type ChatMessage, type ConversationRow, isBlank, type Role } from '@messenger/react';
import { isNotes } from '../parts/conversationTitle.ts';

export type MessageAction =
  | 'reply'
  | 'copy'
  | 'reactions'
  | 'readers'
  | 'unread'
  | 'pin'
  | 'unpin'
  | 'edit'
  | 'delete';

export interface MessageMarks {
  hasReactions: boolean;
  /** Null where there are no pins. */
  isPinned: boolean | null;
}

export function messageActions(
  message: ChatMessage,
  row: ConversationRow,
  role: Role | null,
  { hasReactions, isPinned }: MessageMarks = { hasReactions: false, isPinned: null },
): MessageAction[] {
  if (message.seq === 0 || message.deleted_at) return [];
  const canWrite = canWriteIn(row, role);
  const actions: MessageAction[] = canWrite ? ['reply'] : [];
  if (!isBlank(message.content)) actions.push('copy');
  if (hasReactions) actions.push('reactions');
  if (message.isMine && !isNotes(row)) actions.push('readers');
  actions.push('unread');
  if (isPinned !== null && canPinIn(row, role)) actions.push(isPinned ? 'unpin' : 'pin');
  if (message.isMine && canWrite && (message.message_type === 'text' || hasFile(message)))
    actions.push('edit');
  if (message.isMine || (role === 'admin' && row.type !== 'direct')) actions.push('delete');
  return actions;
}

/** Such a message may have no text. */
export const hasFile = ({ file_url: url, attachments }: ChatMessage): boolean =>
  !!url || !!attachments?.length;

export const canPinIn = (row: ConversationRow, role: Role | null): boolean =>
  row.type === 'direct' || role === 'admin';

/** While the role is not known, writing is offered. */
export function canWriteIn(row: ConversationRow, role: Role | null): boolean {
  if (role === null) return true;
  return row.type === 'announcement' ? role === 'admin' : role !== 'observer';
}
