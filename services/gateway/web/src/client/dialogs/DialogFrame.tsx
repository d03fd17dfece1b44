/** The frame of a dialog: its title, its close button, and its content. */

import { Dialog } from '@base-ui/react/dialog';
import type { ReactNode, RefObject } from 'react';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';

export function DialogFrame({
  title,
  onClose,
  initialFocus,
  returnsFocus = () => true,
  children,
}: {
  title: string;
  onClose: () => void;
  /** Otherwise the first element that can take it gets the focus. */
  initialFocus?: RefObject<HTMLElement | null> | undefined;
  /** Whether the focus goes back to where it was when the dialog closes. */
  returnsFocus?: () => boolean;
  children: ReactNode;
}) {
  const t = useT();
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog" initialFocus={initialFocus} finalFocus={returnsFocus}>
          <header className="dialog-head">
            <Dialog.Title className="dialog-title" dir="auto">
              {title}
            </Dialog.Title>
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
