/** The avatars of users, and of conversations. */

import { type ConversationRow, type UserId, useUser } from '@messenger/react';
import { initials } from '../text/initials.ts';
import { Avatar, type AvatarSize, hueOf } from './Avatar.tsx';
import type { ConversationTitle } from './conversationTitle.ts';
import { Icon } from './Icon.tsx';
import { PresenceDot } from './PresenceDot.tsx';
import { useNamedUser } from './UserName.tsx';

export function UserAvatar({ id, size = 'small' }: { id: UserId; size?: AvatarSize }) {
  const { name, isLoading } = useNamedUser(id);
  // Id 0 is the system, which has no profile.
  const picture = useUser(id || null)?.avatar_url ?? null;
  return <Avatar id={id} label={initials(name)} picture={picture} isLoading={isLoading} size={size} />;
}

export interface ConversationAvatarProps {
  row: ConversationRow;
  named: ConversationTitle;
  size: AvatarSize;
}

/** A direct conversation has the avatar and the presence of the other user. */
export function ConversationAvatar({ row, named: { title, other, isNotes }, size }: ConversationAvatarProps) {
  const label = isNotes ? <Icon name="note" /> : initials(title);
  return (
    <span className="avatar-box">
      {other === null ? (
        <Avatar id={hueOf(row.id)} label={label} size={size} />
      ) : (
        <UserAvatar id={other} size={size} />
      )}
      <PresenceDot userId={other} />
    </span>
  );
}
