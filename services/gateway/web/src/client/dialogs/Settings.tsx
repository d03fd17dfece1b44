/** The dialog with the user's profile and settings: theme, language, formatting, notifications, and sign-out. */

import { type NotificationsView, useSession } from '@messenger/react';
import type { Access } from '../access/access.ts';
import { LANGUAGES, type Language, useLanguage } from '../i18n/language.tsx';
import { THEMES, type useTheme } from '../parts/theme.ts';
import { useFormattingChoice } from '../text/formatter.ts';
import { DialogFrame } from './DialogFrame.tsx';
import { Profile } from './Profile.tsx';

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
  const me = useSession()?.me;
  return (
    <DialogFrame title={t('menu')} onClose={onClose}>
      {me !== undefined && <Profile id={me} />}
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
      <FormattingSetting />
      <NotificationSetting notifications={notifications} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={access.signOut}>
          {t('settings.signOut')}
        </button>
      </div>
    </DialogFrame>
  );
}

function FormattingSetting() {
  const { t } = useLanguage();
  const [isOn, choose] = useFormattingChoice();
  return (
    <label className="switch">
      <input
        type="checkbox"
        role="switch"
        aria-checked={isOn}
        checked={isOn}
        onChange={(event) => choose(event.target.checked)}
      />
      <span>{t('settings.formatting')}</span>
    </label>
  );
}

function NotificationSetting({
  notifications: { permission, request },
}: {
  notifications: NotificationsView;
}) {
  const { t } = useLanguage();
  if (permission === 'unsupported') return <p className="quiet">{t('settings.notify.impossible')}</p>;
  if (permission === 'granted') return <p className="quiet">{t('settings.notify.on')}</p>;
  if (permission === 'denied') return <p className="quiet">{t('settings.notify.denied')}</p>;
  return (
    <button type="button" className="button" onClick={() => void request()}>
      {t('settings.notify')}
    </button>
  );
}
