/** Gives a conversation's name: its title, the other user's name in a direct one, or "notes to self". */

import { type ConversationRow, isBlank, useParticipants, useSession } from '@messenger/react';
import { useT } from '../i18n/language.tsx';
import { useNamedUser } from './UserName.tsx';

export interface ConversationTitle {
  title: string;
  /** Whether the other user's name is still loading. */
  isLoading: boolean;
  /** The other user of a direct conversation. */
  other: number | null;
  /** Whether this is a direct conversation with oneself. */
  isNotes: boolean;
}

export const isNotes = (row: ConversationRow): boolean =>
  row.type === 'direct' && row.participants_count === 1;

/** The row of a new direct conversation may not name the other user yet; then the members are loaded. */
export function useTitle(row: ConversationRow | null): ConversationTitle {
  const t = useT();
  const me = useSession()?.me ?? 0;
  const isDirect = row?.type === 'direct';
  const ids = row?.participant_ids;
  const { participants } = useParticipants(isDirect && !ids ? row.id : '');
  const members = ids ?? participants.map((each) => each.user_id);
  const other = isDirect ? members.find((id) => id !== me) : undefined;
  const named = useNamedUser(other ?? null);
  const untitled = { other: null, isLoading: false, isNotes: false };
  if (!row) return { ...untitled, title: '' };
  if (isNotes(row)) return { ...untitled, title: t('conversation.notes'), isNotes: true };
  if (!isDirect) {
    const title = (!isBlank(row.title) && row.title) || t('conversation.untitled');
    return { ...untitled, title };
  }
  if (other === undefined) return { ...untitled, title: t('conversation.direct') };
  return { title: named.name, other, isLoading: named.isLoading, isNotes: false };
}
