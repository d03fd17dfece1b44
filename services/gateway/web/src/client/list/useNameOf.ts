/** Gives the names by which users know their conversations, for many of them at once. */

import { type ConversationRow, type Session, type UserId, useSession, useUsers } from '@messenger/react';
import { useCallback, useMemo } from 'react';
import { useT } from '../i18n/language.tsx';
import { isNotes } from '../parts/conversationTitle.ts';
import { displayName } from '../parts/UserName.tsx';

/** Returns a function that gives the title, or the other user's name. It is a new one when a name of these changes. */
export function useNameOf(rows: readonly ConversationRow[]): (row: ConversationRow) => string {
  const t = useT();
  const session = useSession();
  const others = useMemo(
    () => rows.filter((row) => row.type === 'direct').flatMap((row) => othersIn(row, session)),
    [rows, session],
  );
  const users = useUsers(others);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the names change with the users.
  return useCallback(
    (row) => {
      if (row.type !== 'direct') return row.title ?? '';
      if (isNotes(row)) return t('conversation.notes');
      const nameOf = (id: UserId) => displayName(t, id, session?.people.name(id).get() ?? null);
      return othersIn(row, session).map(nameOf).join('\n');
    },
    [session, t, users],
  );
}

/** The other user of a direct conversation, unless its row does not name them yet. */
function othersIn(row: ConversationRow, session: Session | null): UserId[] {
  const members = session
    ?.room(row.id)
    ?.participants.get()
    ?.map((each) => each.user_id);
  return (row.participant_ids ?? members ?? []).filter((id) => id !== session?.me);
}
