/** The root of the page. Whatever fails below it, the page shows a text and a way to go on. */

import { StrictMode } from 'react';
import type { SignInMethod } from './access/signInMethod.ts';
import { Gate } from './Gate.tsx';
import { en } from './i18n/en.ts';
import { ko } from './i18n/ko.ts';
import { LanguageProvider } from './i18n/language.tsx';
import { ErrorBoundary } from './parts/ErrorBoundary.tsx';
import { reload } from './parts/ErrorFallback.tsx';
import { ErrorToast } from './parts/ErrorToast.tsx';

export function Root({ signInMethod }: { signInMethod: SignInMethod | null }) {
  return (
    <StrictMode>
      <ErrorBoundary fallback={(retry) => <RootErrorFallback onRetry={retry} />}>
        <LanguageProvider>
          <Gate signInMethod={signInMethod} />
          <ErrorBoundary fallback={() => null}>
            <ErrorToast />
          </ErrorBoundary>
        </LanguageProvider>
      </ErrorBoundary>
    </StrictMode>
  );
}

/** Replaces the whole page. It uses nothing from the rest of the page, not even the user's language. */
function RootErrorFallback({ onRetry }: { onRetry: () => void }) {
  return (
    <main className="gate">
      <div className="gate-card" role="alert">
        {[en, ko].map((texts) => (
          <div key={texts.app}>
            <h1>{texts['broken.title']}</h1>
            <p className="quiet">{texts['broken.saved']}</p>
          </div>
        ))}
        <div className="error-actions">
          <button type="button" className="button primary" onClick={onRetry}>
            {`${en.tryAgain} · ${ko.tryAgain}`}
          </button>
          <button type="button" className="button" onClick={reload}>
            {`${en['broken.reload']} · ${ko['broken.reload']}`}
          </button>
        </div>
      </div>
    </main>
  );
}
