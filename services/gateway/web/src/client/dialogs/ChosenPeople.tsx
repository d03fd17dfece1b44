/** The people who are chosen in a field, each with a button that takes them out again. */

import type { UserId } from '@messenger/react';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { UserName, useUserName } from '../parts/UserName.tsx';

export interface ChosenPeopleProps {
  chosen: readonly UserId[];
  onRemove: (id: UserId) => void;
}

export function ChosenPeople({ chosen, onRemove }: ChosenPeopleProps) {
  const t = useT();
  if (chosen.length === 0) return null;
  return (
    <ul className="chosen" aria-label={t('people.chosen')}>
      {chosen.map((id) => (
        <Chosen key={id} id={id} onRemove={() => onRemove(id)} />
      ))}
    </ul>
  );
}

function Chosen({ id, onRemove }: { id: UserId; onRemove: () => void }) {
  const t = useT();
  const name = useUserName(id);
  const label = t('people.remove', { name });
  return (
    <li className="chosen-person">
      <UserAvatar id={id} size="tiny" />
      <span className="chosen-name">
        <UserName id={id} />
      </span>
      <button type="button" className="chosen-remove" onClick={onRemove} title={label}>
        <Icon name="close" />
        <span className="sr-only">{label}</span>
      </button>
    </li>
  );
}
