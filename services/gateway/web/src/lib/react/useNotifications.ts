'use client';

/**
 * Hook for browser notifications. Only one of the tabs shows them. There are none for muted conversations, and none
 * while the user is in one of the tabs.
 */

import { useCallback, useEffect, useRef, useState } from 'react';
import { askPermission, isUnsupported, Notifier, type NotifierOptions } from '../core/notifier.ts';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

export type NotificationsOptions = NotifierOptions;

export interface NotificationsView {
  /** `unsupported` means that the browser has no notifications, or lets no page make one. */
  permission: NotificationPermission | 'unsupported';
  /** Asks the user for permission. Browsers require a click for it. */
  request: () => Promise<void>;
}

const permissionNow = () => globalThis.Notification?.permission ?? 'unsupported';

export function useNotifications(options: NotificationsOptions): NotificationsView {
  const session = useSession();
  const [permission, update] = usePermission();
  const isNone = useReadable(isUnsupported, false);
  const newest = useRef(options);
  useEffect(() => {
    newest.current = options;
  });
  useEffect(() => {
    if (!session) return;
    const notifier = new Notifier(session, () => newest.current);
    return () => notifier.stop();
  }, [session]);
  const request = useCallback(async () => {
    await askPermission();
    update();
  }, [update]);
  return { permission: isNone ? 'unsupported' : permission, request };
}

/** Users can also change the permission in the browser's settings at any time. */
function usePermission(): [NotificationsView['permission'], () => void] {
  const [permission, setPermission] = useState<NotificationsView['permission']>('unsupported');
  const look = useCallback(() => setPermission(permissionNow()), []);
  useEffect(() => {
    look();
    const ending = new AbortController();
    const { signal } = ending;
    window.addEventListener('focus', look, { signal });
    const follow = async () => {
      const status = await navigator.permissions.query({ name: 'notifications' });
      status.addEventListener('change', look, { signal });
    };
    // Not every browser supports this. Then the permission is read again when the page gets the focus.
    follow().catch(() => undefined);
    return () => ending.abort();
  }, [look]);
  return [permission, look];
}
