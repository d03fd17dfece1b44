/** Owns telling that something did not work. */

import type { Failure } from '@messenger/react';
import { reasonOf } from '../i18n/failures.ts';
import { useT } from '../i18n/language.tsx';

export function Failed({ failure }: { failure: Failure | null }) {
  const t = useT();
  return failure ? (
    <p className="failed" role="alert">
      {reasonOf(t, failure)}
    </p>
  ) : null;
}
