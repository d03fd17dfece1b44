/** Tells the user about an error outside of drawing. The page goes on working. */

import { MessengerError } from '@messenger/react';
import { failureText } from '../i18n/failures.ts';
import { useT } from '../i18n/language.tsx';
import { reload } from './ErrorFallback.tsx';
import { Icon } from './Icon.tsx';
import { useUncaughtError } from './uncaughtErrors.ts';

export function ErrorToast() {
  const t = useT();
  const [error, dismiss] = useUncaughtError();
  if (error === null) return null;
  return (
    <div className="error-toast" role="alert">
      <Icon name="warning" />
      <span>{error instanceof MessengerError ? failureText(t, error) : t('error.unexpected')}</span>
      <button type="button" className="button small" onClick={reload}>
        {t('broken.reload')}
      </button>
      <button type="button" className="icon-button" onClick={dismiss} title={t('close')}>
        <Icon name="close" />
        <span className="sr-only">{t('close')}</span>
      </button>
    </div>
  );
}
