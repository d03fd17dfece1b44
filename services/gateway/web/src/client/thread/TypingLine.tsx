/** The line that shows who is typing. */

import { type UserId, useTyping } from '@messenger/react';
import { useT } from '../i18n/language.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { useNamedUser } from '../parts/UserName.tsx';

const MAX_AVATARS = 3;

export function TypingLine({ id }: { id: string }) {
  const { typists } = useTyping(id);
  const text = useTypingText(typists);
  return (
    <div className="typing-line" role="status" data-testid="typing">
      {text && (
        <>
          <span className="typing-avatars">
            {typists.slice(0, MAX_AVATARS).map((user) => (
              <UserAvatar key={user} id={user} size="tiny" />
            ))}
          </span>
          <span className="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span className="typing-text">{text}</span>
        </>
      )}
    </div>
  );
}

/** Returns an empty text when nobody is typing. */
export function useTypingText(typists: readonly UserId[]): string {
  const t = useT();
  const a = useNamedUser(typists[0] ?? null);
  const b = useNamedUser(typists[1] ?? null);
  if (typists.length === 0) return '';
  if (typists.length > 2) return t('typing.many');
  if (a.isLoading || b.isLoading) return t(typists.length === 1 ? 'typing.someone' : 'typing.many');
  return typists.length === 1 ? t('typing.one', { a: a.name }) : t('typing.two', { a: a.name, b: b.name });
}
