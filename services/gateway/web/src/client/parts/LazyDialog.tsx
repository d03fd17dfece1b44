/**
 * Loads dialogs, and other parts that can be closed, when they are needed. After a new version is deployed, an old page requests files that no
 * longer exist. The user is told so, and reloads when it suits them. The page never reloads by itself: if that
 * did not help, it would reload for ever, and text that the browser does not save would be lost.
 */

import { type ComponentType, type ReactNode, useEffect, useState } from 'react';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { ErrorDialog } from './ErrorFallback.tsx';

interface Closable {
  onClose: () => void;
}

export interface DialogLoader<P> {
  /** Null until the dialog is loaded. */
  loaded: ComponentType<P> | null;
  load: () => Promise<ComponentType<P>>;
}

export function lazyDialog<P extends Closable>(
  load: () => Promise<{ default: ComponentType<P> }>,
): DialogLoader<P> {
  const loader: DialogLoader<P> = {
    loaded: null,
    load: async () => {
      loader.loaded = (await load()).default;
      return loader.loaded;
    },
  };
  return loader;
}

export interface LazyDialogProps<P> {
  loader: DialogLoader<P>;
  props: P;
  /** What is shown until it is loaded. */
  fallback?: ReactNode;
}

type Status = 'loading' | 'missing' | 'retrying';

/** Loads the dialog when it is first drawn. React's `lazy` would never try again after a failure. */
export function LazyDialog<P extends Closable>({ loader, props, fallback = null }: LazyDialogProps<P>) {
  const [Loaded, setLoaded] = useState(() => loader.loaded);
  const [status, setStatus] = useState<Status>('loading');
  useEffect(() => {
    if (Loaded || status === 'missing') return;
    let isWanted = true;
    const show = (component: ComponentType<P>) => isWanted && setLoaded(() => component);
    loader.load().then(show, () => isWanted && setStatus('missing'));
    return () => {
      isWanted = false;
    };
  }, [loader, Loaded, status]);
  const { onClose } = props;
  if (Loaded)
    return (
      <ErrorBoundary
        fallback={(retry) => <ErrorDialog text="broken.dialog" onRetry={retry} onClose={onClose} />}
      >
        <Loaded {...props} />
      </ErrorBoundary>
    );
  if (status === 'loading') return fallback;
  return (
    <>
      {fallback}
      <ErrorDialog
        text="broken.missing"
        isRetrying={status === 'retrying'}
        onRetry={() => setStatus('retrying')}
        onClose={onClose}
      />
    </>
  );
}
