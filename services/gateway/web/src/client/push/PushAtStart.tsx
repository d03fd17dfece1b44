/**
 * What the page does for its service worker once the first view is there: it registers it, keeps the gateway informed
 * about the subscription, opens conversations for it, and sets the app's badge. It draws nothing.
 */

import { useConversations, usePush, useUnread } from '@messenger/react';
import { useEffect } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { saveWorkerSettings } from '../worker/workerSettings.ts';
import { registerWorker } from './registerWorker.ts';

const MANIFESTS = { en: '/app/manifest.webmanifest', ko: '/app/manifest.ko.webmanifest' } as const;
const IDLE_MS = 5_000;

export default function PushAtStart({ onOpen }: { onOpen: (id: string) => void }) {
  const { language } = useLanguage();
  const { total } = useUnread();
  const isKnown = useConversations().status === 'ready';
  usePush({ register: registerWorker, onOpen });
  useEffect(() => {
    // A browser has other workers, caches and permissions for pages in another site's page.
    if (window.parent !== window || !('serviceWorker' in navigator)) return;
    return whenIdle(() => void registerWorker().catch(() => undefined));
  }, []);
  useEffect(() => {
    document.querySelector('link[rel=manifest]')?.setAttribute('href', MANIFESTS[language]);
    // Not every browser has caches, and some refuse them.
    const save = async () => saveWorkerSettings({ language, query: location.search });
    save().catch(() => undefined);
  }, [language]);
  useEffect(() => {
    // Only installed apps have a badge. It is the last push's until the page knows better.
    if (isKnown) navigator.setAppBadge?.(total)?.catch(() => undefined);
  }, [isKnown, total]);
  return null;
}

/** The worker loads the shell, which must not delay the first view. Safari has no idle callbacks. */
function whenIdle(work: () => void): () => void {
  if (!globalThis.requestIdleCallback) {
    const timer = setTimeout(work, IDLE_MS);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(work, { timeout: IDLE_MS });
  return () => cancelIdleCallback(handle);
}
