/** Owns the way in: the client for who has access, a choice or a word for who hasn't. */

import { MessengerProvider } from '@messenger/react';
import { App } from './App.tsx';
import type { Way } from './access/access.ts';
import { UserPicker } from './access/UserPicker.tsx';
import { useT } from './i18n/language.tsx';
import { useTheme } from './parts/theme.ts';

export function Gate({ way }: { way: Way | null }) {
  const t = useT();
  const theme = useTheme();
  if (way === null) return <Word title={t('gate.broken')} again={t('gate.again')} />;
  if (way.kind === 'pick') return <UserPicker />;
  if (way.kind === 'none') return <Word title={t('gate.none')} about={t('gate.none.about')} />;
  const { getToken, directory } = way.access;
  return (
    <MessengerProvider url="" getToken={getToken} {...(directory ? { directory } : {})}>
      <App access={way.access} theme={theme} />
    </MessengerProvider>
  );
}

function Word({ title, about, again }: { title: string; about?: string; again?: string }) {
  return (
    <main className="gate">
      <div className="gate-card">
        <h1>{title}</h1>
        {about && <p className="quiet">{about}</p>}
        {again && (
          <button type="button" className="button primary" onClick={() => location.reload()}>
            {again}
          </button>
        )}
      </div>
    </main>
  );
}
