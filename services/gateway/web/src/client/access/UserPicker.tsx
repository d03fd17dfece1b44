/** Lets a developer choose a user. */

import { type FormEvent, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { Avatar } from '../parts/Avatar.tsx';
import { TextField } from '../parts/TextField.tsx';
import { initials } from '../text/initials.ts';
import { becomeDevUser, type OfferedUser } from './dev.ts';

export function UserPicker({ users }: { users: readonly OfferedUser[] }) {
  const t = useT();
  const [id, setId] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    becomeDevUser(Number(id));
  };
  return (
    <main className="gate">
      <div className="gate-card">
        <h1>{t('picker.title')}</h1>
        <p className="quiet">{t('picker.about')}</p>
        <ul className="picker">
          {users.map((user) => (
            <li key={user.id}>
              <PickerUser user={user} />
            </li>
          ))}
        </ul>
        <form className="form-row" onSubmit={submit}>
          <label htmlFor="picker-id" className="sr-only">
            {t('picker.other')}
          </label>
          <TextField
            id="picker-id"
            type="number"
            min={1}
            max={Number.MAX_SAFE_INTEGER}
            required
            placeholder={t('picker.other')}
            value={id}
            onText={setId}
          />
          <button type="submit" className="button primary">
            {t('picker.enter')}
          </button>
        </form>
      </div>
    </main>
  );
}

function PickerUser({ user }: { user: OfferedUser }) {
  const t = useT();
  const name = user.name ?? t('user', { id: String(user.id) });
  return (
    <button type="button" className="picker-user" onClick={() => becomeDevUser(user.id)}>
      <Avatar id={user.id} label={initials(name)} />
      <bdi className="picker-name">{name}</bdi>
    </button>
  );
}
