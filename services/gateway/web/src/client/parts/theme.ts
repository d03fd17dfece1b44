/** Chooses the light or dark theme. It follows the system unless the user chose one. */

import { useEffect, useState } from 'react';
import { readPreference, savePreference } from './preferences.ts';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(
    () => THEMES.find((known) => known === readPreference('theme')) ?? 'auto',
  );
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    savePreference('theme', theme);
  }, [theme]);
  return [theme, setTheme];
}
