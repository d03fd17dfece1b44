/** Reads the open conversation from the address, and changes it. */

import { useCallback, useSyncExternalStore } from 'react';

const PATH = /^\/c\/([\w-]+)$/;
const NAVIGATED = 'messenger:moved';

const subscribe = (listener: () => void) => {
  for (const event of ['popstate', NAVIGATED]) window.addEventListener(event, listener);
  return () => {
    for (const event of ['popstate', NAVIGATED]) window.removeEventListener(event, listener);
  };
};
const current = () => PATH.exec(location.pathname)?.[1] ?? null;

export function useRoute(): [string | null, (id: string | null) => void] {
  const id = useSyncExternalStore(subscribe, current);
  const go = useCallback((to: string | null) => {
    const path = to === null ? '/' : `/c/${to}`;
    if (path !== location.pathname) history.pushState(null, '', path + location.search);
    window.dispatchEvent(new Event(NAVIGATED));
  }, []);
  return [id, go];
}
