/**
 * Loads a part that the page can do without. Nothing is shown until it is there, nor if it cannot be loaded or drawn.
 */

import { type ComponentType, useEffect, useState } from 'react';
import { ErrorBoundary } from './ErrorBoundary.tsx';

export interface LazyPartProps<P extends object> {
  /** Later changes have no effect. */
  load: () => Promise<{ default: ComponentType<P> }>;
  props: P;
}

export function LazyPart<P extends object>({ load, props }: LazyPartProps<P>) {
  const [Loaded, setLoaded] = useState<ComponentType<P> | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is loaded once.
  useEffect(() => {
    let isWanted = true;
    load().then(
      (module) => isWanted && setLoaded(() => module.default),
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, []);
  return Loaded && <ErrorBoundary fallback={() => null}>{<Loaded {...props} />}</ErrorBoundary>;
}
