/** Formats dates and times in the reader's language and time zone. */

import type { Language, Translate } from './language.tsx';
import { dayNumber, zone } from './today.ts';

const WEEK = 7;
const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * Formatters are expensive to make, and there are only a few kinds, so they are cached. A formatter keeps the
 * time zone in which it was made, so the zone is part of the key.
 */
function formatDate(language: Language, options: Intl.DateTimeFormatOptions, date: Date): string {
  const key = `${language} ${zone()} ${JSON.stringify(options)}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat(language, options);
  formats.set(key, format);
  return format.format(date);
}

export function formatTime(language: Language, iso: string): string {
  return formatDate(language, { hour: 'numeric', minute: '2-digit' }, new Date(iso));
}

export function formatDateTime(language: Language, iso: string): string {
  return formatDate(language, { dateStyle: 'long', timeStyle: 'short' }, new Date(iso));
}

/** The heading above the messages of one day. */
export function formatDay(language: Language, t: Translate, iso: string, now: Date): string {
  const date = new Date(iso);
  const days = dayNumber(now) - dayNumber(date);
  if (days === 0) return t('today');
  if (days === 1) return t('yesterday');
  return formatDate(
    language,
    { weekday: 'long', month: 'long', day: 'numeric', ...yearUnlessCurrent(date, now) },
    date,
  );
}

/** The time in the list of conversations, as short as possible without being ambiguous. */
export function formatShortDate(language: Language, t: Translate, iso: string, now: Date): string {
  const date = new Date(iso);
  const days = dayNumber(now) - dayNumber(date);
  if (days === 0) return formatTime(language, iso);
  if (days === 1) return t('yesterday');
  if (days > 0 && days < WEEK) return formatDate(language, { weekday: 'short' }, date);
  const year = yearUnlessCurrent(date, now) ? ({ year: '2-digit' } as const) : {};
  return formatDate(language, { month: 'numeric', day: 'numeric', ...year }, date);
}

/** A day that was chosen, as `YYYY-MM-DD`. */
export function formatFilterDay(language: Language, day: string): string {
  return formatDate(language, { dateStyle: 'medium' }, new Date(`${day}T00:00`));
}

/** Only dates of other years show their year. */
function yearUnlessCurrent(date: Date, now: Date): { year: 'numeric' } | null {
  return date.getFullYear() === now.getFullYear() ? null : { year: 'numeric' };
}
