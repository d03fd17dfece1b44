/**
 * Remembers the emoji that a user used last, and their skin tone. If the browser saves nothing, it is remembered as
 * long as the page is open.
 */

import type { UserId } from '@messenger/react';
import { useCallback, useState } from 'react';
import { readPreference, savePreference } from '../parts/preferences.ts';
import type { SkinTone } from './skinTones.ts';

const MAX_RECENT = 24;
const unsaved = new Map<string, string>();

function read(key: string): string {
  return readPreference(key) ?? unsaved.get(key) ?? '';
}

function save(key: string, value: string): void {
  unsaved.set(key, value);
  savePreference(key, value);
}

const recentKey = (user: UserId) => `emoji recent ${user}`;
const toneKey = (user: UserId) => `emoji tone ${user}`;

/** The newest first. */
export const recentEmoji = (user: UserId): string[] => read(recentKey(user)).split(' ').filter(Boolean);

export function rememberEmoji(user: UserId, emoji: string): void {
  const others = recentEmoji(user).filter((each) => each !== emoji);
  save(recentKey(user), [emoji, ...others].slice(0, MAX_RECENT).join(' '));
}

export function skinTone(user: UserId): SkinTone {
  const saved = Number(read(toneKey(user)));
  return ([1, 2, 3, 4, 5] as const).find((tone) => tone === saved) ?? 0;
}

export function useSkinTone(user: UserId): [SkinTone, (tone: SkinTone) => void] {
  const [tone, setTone] = useState(() => skinTone(user));
  const choose = useCallback(
    (chosen: SkinTone) => {
      save(toneKey(user), String(chosen));
      setTone(chosen);
    },
    [user],
  );
  return [tone, choose];
}
