/** Owns the user's choices: how the client looks, which language it speaks, whether it notifies, the way out. */

import type { NotificationsView } from '@messenger/react';
import type { Access } from '../access/access.ts';
import { LANGUAGES, type Language, useLanguage } from '../i18n/language.tsx';
import { THEMES, type useTheme } from '../parts/theme.ts';
import { Sheet } from './Sheet.tsx';

export interface SettingsProps {
  access: Access;
  theme: ReturnType<typeof useTheme>;
  notifications: NotificationsView;
  onClose: () => void;
}

export default function Settings({
  access,
  theme: [theme, setTheme],
  notifications,
  onClose,
}: SettingsProps) {
  const { language, choose, t } = useLanguage();
  return (
    <Sheet title={t('menu')} onClose={onClose}>
      <fieldset className="choice">
        <legend>{t('settings.theme')}</legend>
        {THEMES.map((each) => (
          <label key={each}>
            <input type="radio" name="theme" checked={theme === each} onChange={() => setTheme(each)} />
            <span>{t(`settings.theme.${each}`)}</span>
          </label>
        ))}
      </fieldset>
      <fieldset className="choice">
        <legend>{t('settings.language')}</legend>
        {(Object.keys(LANGUAGES) as Language[]).map((each) => (
          <label key={each} lang={each}>
            <input type="radio" name="language" checked={language === each} onChange={() => choose(each)} />
            <span>{LANGUAGES[each]}</span>
          </label>
        ))}
      </fieldset>
      <Notify notifications={notifications} />
      <div className="sheet-foot">
        <button type="button" className="button" onClick={access.leave}>
          {t('settings.leave')}
        </button>
      </div>
    </Sheet>
  );
}

function Notify({ notifications: { permission, request } }: { notifications: NotificationsView }) {
  const { t } = useLanguage();
  if (permission === 'unsupported') return null;
  if (permission === 'granted') return <p className="quiet">{t('settings.notify.on')}</p>;
  if (permission === 'denied') return <p className="quiet">{t('settings.notify.denied')}</p>;
  return (
    <button type="button" className="button" onClick={() => void request()}>
      {t('settings.notify')}
    </button>
  );
}
