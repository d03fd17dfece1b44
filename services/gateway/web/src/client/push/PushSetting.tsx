/** Turns push on and off in the settings. Where it cannot work, it says why. */

import { type PushView, useFeature } from '@messenger/react';
import { useState } from 'react';
import { useAction } from '../parts/useAction.ts';
import { saveOfferAnswered } from './offerAnswer.ts';
import { PushFailure } from './PushFailure.tsx';
import { QuietHoursSetting } from './QuietHoursSetting.tsx';
import { usePushText } from './texts.ts';
import '../styles/push.css';

export function PushSetting({ push }: { push: PushView }) {
  const t = usePushText();
  const { run, isBusy, failure } = useAction();
  const [isTested, setTested] = useState(false);
  const { status, obstacle } = push;
  if (!useFeature('push')) return null;
  if (obstacle) return <p className="quiet">{t(`obstacle.${obstacle}`)}</p>;
  const choose = (isWanted: boolean) => {
    saveOfferAnswered();
    setTested(false);
    void run(isWanted ? push.turnOn : push.turnOff);
  };
  const test = async () => setTested(await run(push.sendTest));
  const isOn = status === 'on';
  return (
    <>
      <label className="switch">
        <input
          type="checkbox"
          role="switch"
          aria-checked={isOn}
          checked={isOn}
          disabled={isBusy || status === 'checking' || status === 'denied'}
          onChange={(event) => choose(event.target.checked)}
        />
        <span>{t('switch')}</span>
      </label>
      {status === 'denied' && <p className="quiet">{t('denied')}</p>}
      {status === 'asking' && <p className="quiet">{t('asking')}</p>}
      {isOn && (
        <>
          <button type="button" className="button" disabled={isBusy} onClick={() => void test()}>
            {t('test')}
          </button>
          <p className="quiet push-tested" role="status">
            {isTested && !failure && <span>{t('tested')}</span>}
          </p>
          <QuietHoursSetting />
        </>
      )}
      <PushFailure failure={failure} />
    </>
  );
}
