/** Shows the client to users who have access. Otherwise it shows the user picker or a notice. */

import { MessengerProvider } from '@messenger/react';
import { App } from './App.tsx';
import type { SignInMethod } from './access/signInMethod.ts';
import { UserPicker } from './access/UserPicker.tsx';
import { useT } from './i18n/language.tsx';
import { SafePart } from './parts/ErrorFallback.tsx';
import { useTheme } from './parts/theme.ts';

export function Gate({ signInMethod }: { signInMethod: SignInMethod | null }) {
  const t = useT();
  const theme = useTheme();
  if (signInMethod === null) return <GateMessage title={t('gate.broken')} retryLabel={t('tryAgain')} />;
  if (signInMethod.kind === 'pick') return <UserPicker users={signInMethod.users} />;
  if (signInMethod.kind === 'none')
    return <GateMessage title={t('gate.none')} about={t('gate.none.about')} />;
  const { getToken, directory } = signInMethod.access;
  return (
    <MessengerProvider url="" getToken={getToken} {...(directory ? { directory } : {})}>
      <SafePart>
        <App access={signInMethod.access} theme={theme} />
      </SafePart>
    </MessengerProvider>
  );
}

function GateMessage({ title, about, retryLabel }: { title: string; about?: string; retryLabel?: string }) {
  return (
    <main className="gate">
      <div className="gate-card">
        <h1>{title}</h1>
        {about && <p className="quiet">{about}</p>}
        {retryLabel && (
          <button type="button" className="button primary" onClick={() => location.reload()}>
            {retryLabel}
          </button>
        )}
      </div>
    </main>
  );
}
