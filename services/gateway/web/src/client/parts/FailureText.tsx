/** Tells the user that an action failed. */

import type { Failure } from '@messenger/react';
import { failureText } from '../i18n/failures.ts';
import { useT } from '../i18n/language.tsx';

export function FailureText({ failure }: { failure: Failure | null }) {
  const t = useT();
  return failure ? (
    <p className="failed" role="alert">
      {failureText(t, failure)}
    </p>
  ) : null;
}
