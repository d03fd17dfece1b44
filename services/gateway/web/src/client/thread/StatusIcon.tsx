/** The icon that shows the status of the user's own message. */

import type { MessageStatus } from '@messenger/react';
import { useT } from '../i18n/language.tsx';
import { Icon, type IconName } from '../parts/Icon.tsx';

const ICONS: Record<MessageStatus, IconName> = {
  sending: 'clock',
  sent: 'check',
  delivered: 'check',
  read: 'checks',
  failed: 'warning',
};

export function StatusIcon({ status }: { status: MessageStatus }) {
  const t = useT();
  const label = status === 'failed' ? t('conversation.failed') : t(`status.${status}`);
  return (
    <span className={`status-icon ${status}`} role="img" aria-label={label} title={label}>
      <Icon name={ICONS[status]} />
    </span>
  );
}
