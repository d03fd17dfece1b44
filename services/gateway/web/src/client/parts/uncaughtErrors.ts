/** Collects errors that no error boundary catches: in events, in timers, and in promises that nobody awaits. */

import { useSyncExternalStore } from 'react';

/** Errors of browser extensions, and reports that browsers send as errors although nothing failed. */
const FOREIGN = /(chrome|moz|safari|safari-web)-extension:\/\//;
const HARMLESS = /^(ResizeObserver loop|Script error\.?$)/;

let lastError: unknown = null;
const listeners = new Set<() => void>();

function setLastError(now: unknown): void {
  lastError = now;
  for (const listener of listeners) listener();
}

function isOurs(error: unknown, message: string, file: string): boolean {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const isStopped = error instanceof DOMException && error.name === 'AbortError';
  return !isStopped && !HARMLESS.test(message) && !FOREIGN.test(file) && !FOREIGN.test(stack);
}

/** Keeps the last error until it is dismissed. */
export function watchUncaughtErrors(): void {
  window.addEventListener('error', ({ error, message, filename }) => {
    if (isOurs(error, message, filename)) setLastError(error ?? message);
  });
  window.addEventListener('unhandledrejection', ({ reason }) => {
    if (isOurs(reason, String(reason?.message ?? ''), '')) setLastError(reason ?? 'unknown');
  });
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Returns the last error, or null, and a function that dismisses it. */
export function useUncaughtError(): [unknown, () => void] {
  return [useSyncExternalStore(subscribe, () => lastError), () => setLastError(null)];
}
