/** One quiet line that offers push, after the user has sent a message. It is offered until they have answered once. */

import { usePush } from '@messenger/react';
import { useState } from 'react';
import { useAction } from '../parts/useAction.ts';
import { hasAnsweredOffer, saveOfferAnswered } from './offerAnswer.ts';
import { PushFailure } from './PushFailure.tsx';
import { registerWorker } from './registerWorker.ts';
import { usePushText } from './texts.ts';
import '../styles/push.css';

export default function PushOffer() {
  const t = usePushText();
  const { status, turnOn } = usePush({ register: registerWorker });
  const { run, isBusy, failure } = useAction();
  const [isGone, setGone] = useState(hasAnsweredOffer);
  if (isGone || (status !== 'off' && status !== 'asking')) return null;
  const accept = async () => {
    saveOfferAnswered();
    if (await run(turnOn)) setGone(true);
  };
  const refuse = () => {
    saveOfferAnswered();
    setGone(true);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for a form.
    <div className="push-offer" role="group" aria-label={t('offer')}>
      {failure ? <PushFailure failure={failure} /> : <span>{t(isBusy ? 'asking' : 'offer')}</span>}
      <div className="push-offer-actions">
        <button
          type="button"
          className="button small primary"
          disabled={isBusy}
          onClick={() => void accept()}
        >
          {t('offer.yes')}
        </button>
        <button type="button" className="button small" onClick={refuse}>
          {t('offer.no')}
        </button>
      </div>
    </div>
  );
}
