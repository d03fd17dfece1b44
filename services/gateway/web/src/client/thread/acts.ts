/** Owns what can be done with a message, and by whom: what the gateway would refuse is not offered. */

import type { ChatMessage, ConversationRow, Role } from '@messenger/react';

export type Act = 'reply' | 'copy' | 'readers' | 'edit' | 'delete';

export function actsOn(message: ChatMessage, row: ConversationRow, role: Role | null): Act[] {
  if (message.seq === 0 || message.deleted_at) return [];
  const canWrite = canWriteIn(row, role);
  const acts: Act[] = canWrite ? ['reply'] : [];
  if (message.content) acts.push('copy');
  if (message.isMine) acts.push('readers');
  if (message.isMine && canWrite && message.message_type === 'text') acts.push('edit');
  if (message.isMine || (role === 'admin' && row.type !== 'direct')) acts.push('delete');
  return acts;
}

/** Until the role is known, only what nobody may do is refused. */
export function canWriteIn(row: ConversationRow, role: Role | null): boolean {
  if (role === null) return true;
  return row.type === 'announcement' ? role === 'admin' : role !== 'observer';
}
