/** Holds the chosen language and translates texts into it. */

import IntlMessageFormat from 'intl-messageformat';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { readPreference, savePreference } from '../parts/preferences.ts';
import { isolateBidi } from '../text/bidi.ts';
import { en, type TextKey, type Texts } from './en.ts';
import { ko } from './ko.ts';

export const LANGUAGES = { en: 'English', ko: '한국어' } as const;
export type Language = keyof typeof LANGUAGES;
export type Translate = (key: TextKey, values?: Record<string, string | number>) => string;

const TEXTS: Record<Language, Texts> = { en, ko };

interface LanguageValue {
  language: Language;
  choose: (language: Language) => void;
  t: Translate;
}

const Context = createContext<LanguageValue | null>(null);

function firstLanguage(): Language {
  const chosen = readPreference('language');
  const wanted = chosen ? [chosen] : navigator.languages;
  const found = wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag in LANGUAGES);
  return (found as Language | undefined) ?? 'en';
}

/**
 * Most texts have no placeholders. The others are parsed once. Values are isolated, so that text written by
 * users cannot change the direction of the text around it.
 */
function translator(language: Language): Translate {
  const formats = new Map<TextKey, IntlMessageFormat>();
  return (key, values) => {
    const text = TEXTS[language][key];
    if (!values) return text;
    const format = formats.get(key) ?? new IntlMessageFormat(text, language);
    formats.set(key, format);
    return String(format.format(isolateValues(values)));
  };
}

function isolateValues(values: Record<string, string | number>): Record<string, string | number> {
  const isolate = (value: string | number) => (typeof value === 'string' ? isolateBidi(value) : value);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, isolate(value)]));
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const value = useMemo(() => {
    const choose = (chosen: Language) => {
      savePreference('language', chosen);
      setLanguage(chosen);
    };
    return { language, choose, t: translator(language) };
  }, [language]);
  return <Context value={value}>{children}</Context>;
}

export function useLanguage(): LanguageValue {
  const value = useContext(Context);
  if (!value) throw new Error('This has to be inside a LanguageProvider');
  return value;
}

export const useT = () => useLanguage().t;
