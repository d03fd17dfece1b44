/** The dialog that lists who reacted to a message, by emoji. */

import { type ChatMessage, emojiKey, type ReactingUser, useReactions, useSession } from '@messenger/react';
import { useCallback, useEffect, useState } from 'react';
import { formatShortDate } from '../i18n/dates.ts';
import { useLanguage } from '../i18n/language.tsx';
import { useToday } from '../i18n/today.ts';
import { FailureText } from '../parts/FailureText.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { UserName } from '../parts/UserName.tsx';
import { useAction } from '../parts/useAction.ts';
import { DialogFrame } from './DialogFrame.tsx';

export interface ReactingUsersProps {
  message: ChatMessage;
  /** The emoji that is shown first; null for the first one. */
  emoji: string | null;
  onClose: () => void;
}

export default function ReactingUsers({ message, emoji, onClose }: ReactingUsersProps) {
  const { t } = useLanguage();
  const { reactions } = useReactions(message.conversation_id, message.id);
  const [chosen, setChosen] = useState(emoji);
  const shown = chosen ?? reactions[0]?.emoji ?? null;
  return (
    <DialogFrame title={t('reactions.title')} onClose={onClose}>
      <fieldset className="choice reaction-choice">
        <legend className="sr-only">{t('reactions.title')}</legend>
        {reactions.map((reaction) => (
          <label key={reaction.emoji}>
            <input
              type="radio"
              name="emoji"
              checked={shown !== null && emojiKey(reaction.emoji) === emojiKey(shown)}
              onChange={() => setChosen(reaction.emoji)}
            />
            <span>
              <span className="emoji">{reaction.emoji}</span>
              <span>{` ${reaction.count}`}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {shown === null ? (
        <p className="quiet">{t('reactions.none')}</p>
      ) : (
        <Users key={shown} messageId={message.id} emoji={shown} />
      )}
    </DialogFrame>
  );
}

function Users({ messageId, emoji }: { messageId: string; emoji: string }) {
  const { t } = useLanguage();
  const session = useSession();
  const [users, setUsers] = useState<ReactingUser[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const { run, isBusy, failure } = useAction();
  const load = useCallback(
    (from: string | null) =>
      run(async () => {
        const page = await session?.people.reactingUsers(messageId, emoji, from);
        setUsers((known) => [...(known ?? []), ...(page?.items ?? [])]);
        setCursor(page?.next_cursor ?? null);
      }),
    [session, messageId, emoji, run],
  );
  useEffect(() => {
    setUsers(null);
    void load(null);
  }, [load]);
  return (
    <>
      <FailureText failure={failure} />
      {users?.length === 0 && <p className="quiet">{t('reactions.none')}</p>}
      <ul className="people">
        {users?.map((user) => (
          <UserRow key={user.user_id} user={user} isMe={user.user_id === session?.me} />
        ))}
      </ul>
      {cursor !== null && (
        <button type="button" className="button" disabled={isBusy} onClick={() => void load(cursor)}>
          {t('showMore')}
        </button>
      )}
    </>
  );
}

function UserRow({ user, isMe }: { user: ReactingUser; isMe: boolean }) {
  const { language, t } = useLanguage();
  const today = useToday();
  return (
    <li className="person">
      <UserAvatar id={user.user_id} />
      <span className="person-name">
        <UserName id={user.user_id} />
        {isMe && <span className="quiet">{` (${t('you')})`}</span>}
      </span>
      <time className="quiet" dateTime={user.reacted_at}>
        {formatShortDate(language, t, user.reacted_at, today)}
      </time>
    </li>
  );
}
