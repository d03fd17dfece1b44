/** Owns the round sign of a person or a conversation, and the dot that tells who is there. */

import { type PresenceRow, usePresence } from '@messenger/react';
import { useT } from '../i18n/language.tsx';

const HUES = 8;

export function Avatar({
  id,
  label,
  size = 'normal',
}: {
  id: number;
  label: string;
  size?: 'small' | 'normal';
}) {
  return (
    <span className={`avatar hue-${Math.abs(id) % HUES} ${size}`} aria-hidden="true">
      {label}
    </span>
  );
}

/** Drawn only for what is known. */
export function PresenceDot({ userId }: { userId: number | null }) {
  const t = useT();
  const status = shown(usePresence(userId));
  if (!status) return null;
  return <span className={`dot ${status}`} role="img" aria-label={t(`presence.${status}`)} />;
}

/** Whoever is invisible knows it; to everybody else that is offline. */
export function shown(presence: PresenceRow | null): 'online' | 'away' | 'offline' | null {
  if (!presence) return null;
  return presence.status === 'invisible' ? 'offline' : presence.status;
}

/** A number for what has a text for an id, so that its colour stays. */
export function hueOf(id: string): number {
  return [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7);
}

/** Two letters at most; of "User 12" the number says more. */
export function initials(name: string): string {
  const number = /\d+$/.exec(name.trim())?.[0];
  if (number) return number.slice(-3);
  const words = name.trim().split(/\s+/);
  const letters =
    words.length > 1 ? words.slice(0, 2).map((word) => [...word][0] ?? '') : [...name.trim()].slice(0, 2);
  return letters.join('').toUpperCase();
}
