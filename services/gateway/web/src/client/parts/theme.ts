/** Owns light and dark: as the system has it, unless the user chose. */

import { useEffect, useState } from 'react';
import { remember, remembered } from './remember.ts';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(() => THEMES.find((known) => known === remembered('theme')) ?? 'auto');
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    remember('theme', theme);
  }, [theme]);
  return [theme, setTheme];
}
