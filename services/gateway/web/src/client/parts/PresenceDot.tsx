/** The dot that shows a user's presence. */

import { type PresenceRow, usePresence } from '@messenger/react';
import { useT } from '../i18n/language.tsx';

/** Drawn only if the presence is known. */
export function PresenceDot({ userId }: { userId: number | null }) {
  const t = useT();
  const status = visibleStatus(usePresence(userId));
  if (!status) return null;
  return <span className={`dot ${status}`} role="img" aria-label={t(`presence.${status}`)} />;
}

/** Only the users themselves see that they are invisible. Everyone else sees `offline`. */
export function visibleStatus(presence: PresenceRow | null): 'online' | 'away' | 'offline' | null {
  if (!presence) return null;
  return presence.status === 'invisible' ? 'offline' : presence.status;
}
