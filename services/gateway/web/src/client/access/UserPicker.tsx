/** Owns the choice of a user in development. */

import { type FormEvent, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { Avatar } from '../parts/Avatar.tsx';
import { becomeDevUser } from './dev.ts';

const OFFERED = [1, 2, 3, 4, 5, 6];

export function UserPicker() {
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
          {OFFERED.map((user) => (
            <li key={user}>
              <button type="button" className="picker-user" onClick={() => becomeDevUser(user)}>
                <Avatar id={user} label={String(user)} />
                {t('user', { id: String(user) })}
              </button>
            </li>
          ))}
        </ul>
        <form className="line" onSubmit={submit}>
          <label htmlFor="picker-id" className="sr-only">
            {t('picker.other')}
          </label>
          <input
            id="picker-id"
            className="field"
            type="number"
            min={1}
            max={Number.MAX_SAFE_INTEGER}
            required
            placeholder={t('picker.other')}
            value={id}
            onChange={(event) => setId(event.target.value)}
          />
          <button type="submit" className="button primary">
            {t('picker.enter')}
          </button>
        </form>
      </div>
    </main>
  );
}
