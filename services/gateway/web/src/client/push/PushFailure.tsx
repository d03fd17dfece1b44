/** Tells the user that push could not be turned on. What browsers say about it is not for users. */

import type { Failure } from '@messenger/react';
import { FailureText } from '../parts/FailureText.tsx';
import { usePushText } from './texts.ts';

export function PushFailure({ failure }: { failure: Failure | null }) {
  const t = usePushText();
  if (failure?.code !== 'push_failed') return <FailureText failure={failure} />;
  return (
    <p className="failed" role="alert">
      {t('failed')}
    </p>
  );
}
