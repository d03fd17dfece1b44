/** One member in the details: the user, their role, and what an admin may change. */

import type { Participant, Role } from '@messenger/react';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';
import { PresenceDot } from '../parts/PresenceDot.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { UserName, useUserName } from '../parts/UserName.tsx';

const ROLES: Role[] = ['admin', 'member', 'observer'];

export interface MemberProps {
  participant: Participant;
  isMe: boolean;
  canChange: boolean;
  onRole: (role: Role) => void;
  onRemove: () => void;
}

export function Member({ participant, isMe, canChange, onRole, onRemove }: MemberProps) {
  const t = useT();
  const name = useUserName(participant.user_id);
  return (
    <li className="person" data-testid={`member-${participant.user_id}`}>
      <span className="avatar-box">
        <UserAvatar id={participant.user_id} />
        <PresenceDot userId={participant.user_id} />
      </span>
      <span className="person-name">
        <UserName id={participant.user_id} />
        {isMe && <span className="quiet">{` (${t('you')})`}</span>}
      </span>
      {canChange ? (
        <select
          className="field"
          aria-label={t('details.role', { name })}
          value={participant.role}
          onChange={(event) => onRole(event.target.value as Role)}
        >
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {t(`role.${role}`)}
            </option>
          ))}
        </select>
      ) : (
        <span className="quiet">{t(`role.${participant.role}`)}</span>
      )}
      {canChange && !isMe && (
        <button
          type="button"
          className="icon-button"
          onClick={onRemove}
          title={t('details.remove', { name })}
        >
          <Icon name="close" />
          <span className="sr-only">{t('details.remove', { name })}</span>
        </button>
      )}
    </li>
  );
}
