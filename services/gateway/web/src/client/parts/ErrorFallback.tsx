/** The texts that replace a part which cannot be drawn or loaded. They say what happened and what to do. */

import { type ReactNode, useEffect, useRef } from 'react';
import type { TextKey } from '../i18n/en.ts';
import { useT } from '../i18n/language.tsx';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { isStorageAvailable } from './preferences.ts';

export const reload = () => location.reload();

/** Replaces a part of the page. */
export function ErrorFallback({
  onRetry,
  onBack,
}: {
  onRetry: () => void;
  onBack?: (() => void) | undefined;
}) {
  const t = useT();
  return (
    <div className="empty-state error-fallback" role="alert">
      <h2>{t('broken.title')}</h2>
      <SavedText />
      <div className="error-actions">
        <Button text="tryAgain" onClick={onRetry} isPrimary />
        <Button text="broken.reload" onClick={reload} />
        {onBack && <Button text="back" onClick={onBack} />}
      </div>
    </div>
  );
}

export interface SafePartProps {
  /** Leaves the part, if it fills the screen. */
  onBack?: () => void;
  children: ReactNode;
}

/** A part of the page whose errors do not affect the rest. */
export function SafePart({ onBack, children }: SafePartProps) {
  return (
    <ErrorBoundary fallback={(retry) => <ErrorFallback onRetry={retry} onBack={onBack} />}>
      {children}
    </ErrorBoundary>
  );
}

export interface ErrorDialogProps {
  text: TextKey;
  /** Whether what `onRetry` started goes on. The dialog stays, so that Escape still closes it. */
  isRetrying?: boolean;
  onRetry: () => void;
  onClose: () => void;
}

/**
 * Replaces a dialog. It uses the browser's own dialog, since the client's dialog may be what failed to load.
 */
export function ErrorDialog({ text, isRetrying = false, onRetry, onClose }: ErrorDialogProps) {
  const t = useT();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="error-title" onClose={onClose}>
      <h2 className="dialog-title" id="error-title">
        {t('broken.title')}
      </h2>
      <p>{t(text)}</p>
      <SavedText />
      <div className="dialog-actions">
        <Button text="close" onClick={onClose} />
        <Button text="broken.reload" onClick={reload} />
        <Button text="tryAgain" onClick={onRetry} isPrimary isBusy={isRetrying} />
      </div>
    </dialog>
  );
}

/** Says whether unsent text survives a reload. */
function SavedText() {
  const t = useT();
  return <p className="quiet">{t(isStorageAvailable() ? 'broken.saved' : 'broken.unsaved')}</p>;
}

interface ButtonProps {
  text: TextKey;
  onClick: () => void;
  isPrimary?: boolean;
  isBusy?: boolean;
}

function Button({ text, onClick, isPrimary = false, isBusy = false }: ButtonProps) {
  const t = useT();
  const className = isPrimary ? 'button primary' : 'button';
  return (
    <button type="button" className={className} onClick={onClick} aria-disabled={isBusy}>
      {t(text)}
    </button>
  );
}
