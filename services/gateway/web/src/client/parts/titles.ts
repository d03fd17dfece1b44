/** Owns what a conversation is called: its title, or in a direct one the other's name. */

import { type ConversationRow, useParticipants, useSession } from '@messenger/react';
import { usePersonName, useT } from '../i18n/language.tsx';

export interface Titled {
  title: string;
  /** The other one of a direct conversation. */
  other: number | null;
}

/** A row doesn't say who the other is; its members are asked for when it is shown. */
export function useTitle(row: ConversationRow | null): Titled {
  const t = useT();
  const me = useSession()?.me ?? 0;
  const isDirect = row?.type === 'direct';
  const { participants } = useParticipants(isDirect ? row.id : '');
  const others = participants.filter((each) => each.user_id !== me);
  // Of a direct conversation with oneself there is nobody else.
  const other = isDirect ? (others[0] ?? participants[0])?.user_id : undefined;
  const name = usePersonName(other ?? null);
  if (!row) return { title: '', other: null };
  if (!isDirect) return { title: row.title ?? t('conversation.untitled'), other: null };
  return { title: other === undefined ? t('conversation.direct') : name, other: other ?? null };
}
