/** Owns the language: what is said in it, and the choice between them. */

import type { UserId } from '@messenger/react';
import { useName } from '@messenger/react';
import IntlMessageFormat from 'intl-messageformat';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { remember, remembered } from '../parts/remember.ts';
import { en, type Key, type Words } from './en.ts';
import { ko } from './ko.ts';

export const LANGUAGES = { en: 'English', ko: '한국어' } as const;
export type Language = keyof typeof LANGUAGES;
export type Translate = (key: Key, values?: Record<string, string | number>) => string;

const WORDS: Record<Language, Words> = { en, ko };

interface Spoken {
  language: Language;
  choose: (language: Language) => void;
  t: Translate;
}

const Context = createContext<Spoken | null>(null);

function firstLanguage(): Language {
  const chosen = remembered('language');
  const wanted = chosen ? [chosen] : navigator.languages;
  const found = wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag in LANGUAGES);
  return (found as Language | undefined) ?? 'en';
}

/** Most of what is said has nothing to fill in; the rest is read once. */
function translator(language: Language): Translate {
  const formats = new Map<Key, IntlMessageFormat>();
  return (key, values) => {
    const words = WORDS[language][key];
    if (!values) return words;
    const format = formats.get(key) ?? new IntlMessageFormat(words, language);
    formats.set(key, format);
    return String(format.format(values));
  };
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const spoken = useMemo(() => {
    const choose = (chosen: Language) => {
      remember('language', chosen);
      setLanguage(chosen);
    };
    return { language, choose, t: translator(language) };
  }, [language]);
  return <Context value={spoken}>{children}</Context>;
}

export function useLanguage(): Spoken {
  const spoken = useContext(Context);
  if (!spoken) throw new Error('This has to be inside a LanguageProvider');
  return spoken;
}

export const useT = () => useLanguage().t;

/** What a user is called: by the host application, else by number. 0 is nobody: an operator speaks for the system. */
export function usePersonName(id: UserId | null): string {
  const t = useT();
  const name = useName(id || null);
  if (id === 0) return t('system');
  return name ?? (id === null ? '' : t('user', { id: String(id) }));
}
