/** Owns how moments are written, in the reader's language and time zone. */

import { differenceInCalendarDays, isSameYear } from 'date-fns';
import type { Language, Translate } from './language.tsx';

const WEEK = 7;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter is dear, and there are few kinds. */
function written(language: Language, options: Intl.DateTimeFormatOptions, date: Date): string {
  const key = language + JSON.stringify(options);
  const format = formats.get(key) ?? new Intl.DateTimeFormat(language, options);
  formats.set(key, format);
  return format.format(date);
}

export function timeOf(language: Language, iso: string): string {
  return written(language, { hour: 'numeric', minute: '2-digit' }, new Date(iso));
}

export function momentOf(language: Language, iso: string): string {
  return written(language, { dateStyle: 'long', timeStyle: 'short' }, new Date(iso));
}

/** Over the messages of one day. */
export function dayOf(language: Language, t: Translate, iso: string, now = new Date()): string {
  const date = new Date(iso);
  const days = differenceInCalendarDays(now, date);
  if (days === 0) return t('today');
  if (days === 1) return t('yesterday');
  const year = isSameYear(date, now) ? {} : ({ year: 'numeric' } as const);
  return written(language, { weekday: 'long', month: 'long', day: 'numeric', ...year }, date);
}

/** In the list: as short as it can be and still be clear. */
export function whenOf(language: Language, t: Translate, iso: string, now = new Date()): string {
  const date = new Date(iso);
  const days = differenceInCalendarDays(now, date);
  if (days === 0) return timeOf(language, iso);
  if (days === 1) return t('yesterday');
  if (days > 0 && days < WEEK) return written(language, { weekday: 'short' }, date);
  const year = isSameYear(date, now) ? {} : ({ year: '2-digit' } as const);
  return written(language, { month: 'numeric', day: 'numeric', ...year }, date);
}
