/**
 * Loads the formatter when a text needs it, and holds the user's choice whether text is formatted. Until the
 * formatter is loaded, and if it cannot be loaded, text is shown as it was typed.
 */

import { useSyncExternalStore } from 'react';
import { readPreference, savePreference } from '../parts/preferences.ts';

export type Formatter = typeof import('../parts/FormattedText.tsx');

/** A quick check. Most texts have no marks and need no formatter. */
const MARKS = /[*_`]|~~|^ {0,3}>/m;
const PREFERENCE = 'formatting';
/** After a failure it is not loaded again for this time, even if many texts need it. */
const RETRY_MS = 10_000;

let loaded: Formatter | null = null;
let loading: Promise<Formatter | null> | null = null;
let isOn = readPreference(PREFERENCE) !== 'off';
const listeners = new Set<() => void>();

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const mayFormat = (text: string) => isOn && MARKS.test(text);

/** Resolves to null if the text has no marks, or if the formatter is switched off or cannot be loaded. */
export async function loadFormatter(text: string): Promise<Formatter | null> {
  if (!mayFormat(text)) return null;
  loading ??= load();
  return loaded ?? loading;
}

async function load(): Promise<Formatter | null> {
  try {
    loaded = await import('../parts/FormattedText.tsx');
    notify();
  } catch {
    setTimeout(() => {
      loading = null;
    }, RETRY_MS);
  }
  return loaded;
}

/** The formatter for this text. Null if the text is to be shown as it was typed. */
export function useFormatter(text: string): Formatter | null {
  return useSyncExternalStore(subscribe, () => formatterOf(text));
}

function formatterOf(text: string): Formatter | null {
  if (!mayFormat(text)) return null;
  if (!loaded) void loadFormatter(text);
  return loaded;
}

export function useFormattingChoice(): [boolean, (isOn: boolean) => void] {
  return [useSyncExternalStore(subscribe, () => isOn), chooseFormatting];
}

function chooseFormatting(chosen: boolean): void {
  isOn = chosen;
  savePreference(PREFERENCE, chosen ? 'on' : 'off');
  notify();
}
