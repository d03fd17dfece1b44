/** Owns the look of a dialog: a title, a way out, and what it is about. */

import { Dialog } from '@base-ui/react/dialog';
import type { ReactNode } from 'react';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';

export function Sheet({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const t = useT();
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="sheet">
          <header className="sheet-head">
            <Dialog.Title className="sheet-title">{title}</Dialog.Title>
            <Dialog.Close className="icon-button" title={t('close')}>
              <Icon name="close" />
              <span className="sr-only">{t('close')}</span>
            </Dialog.Close>
          </header>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
