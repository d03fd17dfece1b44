/** Hook for whether the user is looking at this page now. */

import { useSyncExternalStore } from 'react';

const subscribe = (listener: () => void) => {
  window.addEventListener('focus', listener);
  window.addEventListener('blur', listener);
  document.addEventListener('visibilitychange', listener);
  return () => {
    window.removeEventListener('focus', listener);
    window.removeEventListener('blur', listener);
    document.removeEventListener('visibilitychange', listener);
  };
};
const hasFocus = () => document.visibilityState === 'visible' && document.hasFocus();

export const useHasFocus = () => useSyncExternalStore(subscribe, hasFocus);
