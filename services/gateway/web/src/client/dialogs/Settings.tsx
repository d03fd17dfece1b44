/** The dialog with the user's profile and settings: theme, language, formatting, notifications, push, and sign-out. */

import { type NotificationsView, type PushView, usePush, useSession } from '@messenger/react';
import type { Access } from '../access/access.ts';
import { LANGUAGES, type Language, useLanguage } from '../i18n/language.tsx';
import { THEMES, type useTheme } from '../parts/theme.ts';
import { PushSetting } from '../push/PushSetting.tsx';
import { registerWorker } from '../push/registerWorker.ts';
import { removeShown } from '../push/removeShown.ts';
import { useFormattingChoice } from '../text/formatter.ts';
import { DialogFrame } from './DialogFrame.tsx';
import { Profile } from './Profile.tsx';

/** Signing out does not wait longer for the gateway and the push service. */
const TURN_OFF_MS = 2_000;

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
  const push = usePush({ register: registerWorker });
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
      {push.status !== 'on' && <NotificationSetting notifications={notifications} />}
      <PushSetting push={push} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => void signOut(push, access)}>
          {t('settings.signOut')}
        </button>
      </div>
    </DialogFrame>
  );
}

/** Whoever uses this browser next must not get the user's messages. */
async function signOut(push: PushView, access: Access): Promise<void> {
  const late = new Promise((resolve) => setTimeout(resolve, TURN_OFF_MS));
  // It may be about to tell the gateway of the device.
  if (['on', 'asking', 'checking'].includes(push.status)) await Promise.race([push.turnOff(), late]);
  await removeShown();
  access.signOut();
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
