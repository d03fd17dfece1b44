'use client';

/** Owns the browser's notifications: one for all tabs, none for what is muted or before the user's eyes. */

import { useCallback, useEffect, useRef, useState } from 'react';
import type { Incoming } from '../core/store.ts';
import { useSession } from './context.tsx';

export interface NotificationsOptions {
  isEnabled?: boolean;
  /** What a notification says. */
  describe: (
    incoming: Incoming,
  ) => { title: string; body: string } | Promise<{ title: string; body: string }>;
  /** The user clicked on one. */
  onOpen?: (conversationId: string) => void;
}

export interface NotificationsView {
  permission: NotificationPermission | 'unsupported';
  /** Asks the user; browsers want a click for it. */
  request: () => Promise<void>;
}

const permissionNow = () => globalThis.Notification?.permission ?? 'unsupported';

export function useNotifications(options: NotificationsOptions): NotificationsView {
  const session = useSession();
  const [permission, setPermission] = useState<NotificationsView['permission']>('unsupported');
  useEffect(() => setPermission(permissionNow()), []);
  const newest = useRef(options);
  useEffect(() => {
    newest.current = options;
  });
  useEffect(() => session?.onNotice((incoming) => void show(incoming, newest.current)), [session]);
  const request = useCallback(async () => {
    await globalThis.Notification?.requestPermission();
    setPermission(permissionNow());
  }, []);
  return { permission, request };
}

async function show(incoming: Incoming, { isEnabled = true, describe, onOpen }: NotificationsOptions) {
  if (!isEnabled || permissionNow() !== 'granted') return;
  const { title, body } = await describe(incoming);
  const { id } = incoming.conversation;
  const notification = made(title, { body, tag: id });
  if (!notification) return;
  notification.onclick = () => {
    window.focus();
    notification.close();
    onOpen?.(id);
  };
}

/** By its tag a conversation has one, its latest. Some phones know them, and let no page make one. */
function made(title: string, options: NotificationOptions): Notification | null {
  try {
    return new Notification(title, options);
  } catch {
    return null;
  }
}
