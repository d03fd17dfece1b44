/**
 * Knows the current day in the user's time zone, for texts like "today". The page has one timer for it. The
 * day changes at the zone's midnight, whichever hour that is, and also when the clock or the zone is changed
 * or the machine wakes.
 */

import { useSyncExternalStore } from 'react';

/**
 * Timers stop while a machine sleeps, and no event tells that its clock or zone was changed. So the day is
 * checked this often.
 */
const CHECK_MS = 10_000;
const MIN_DELAY_MS = 50;

interface Day {
  /** The moment at which the day was determined. */
  date: Date;
  zone: string;
}

const listeners = new Set<() => void>();
let day = currentDay();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Returns a new object only when the day or the zone changes. */
export function useToday(): Date {
  return useSyncExternalStore(watchToday, today);
}

export const today = (): Date => day.date;
/** Texts that were formatted for another zone are no longer correct. */
export const zone = (): string => day.zone;

export function watchToday(listener: () => void): () => void {
  if (listeners.size === 0) start();
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) stop();
  };
}

function start(): void {
  for (const event of ['focus', 'pageshow']) window.addEventListener(event, checkDay);
  for (const event of ['visibilitychange', 'resume']) document.addEventListener(event, checkDay);
  checkDay();
}

function stop(): void {
  for (const event of ['focus', 'pageshow']) window.removeEventListener(event, checkDay);
  for (const event of ['visibilitychange', 'resume']) document.removeEventListener(event, checkDay);
  clearTimeout(timer);
}

function checkDay(): void {
  clearTimeout(timer);
  timer = setTimeout(checkDay, delayToNextCheck(new Date()));
  const now = currentDay();
  if (now.zone === day.zone && dayNumber(now.date) === dayNumber(day.date)) return;
  day = now;
  for (const listener of [...listeners]) listener();
}

function delayToNextCheck(now: Date): number {
  // On a day that has no midnight, this gives the hour at which it begins.
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  return Math.min(CHECK_MS, Math.max(MIN_DELAY_MS, midnight.getTime() - now.getTime()));
}

function currentDay(): Day {
  return { date: new Date(), zone: new Intl.DateTimeFormat().resolvedOptions().timeZone };
}

/** Consecutive days have consecutive numbers, however many hours they have. */
export function dayNumber(date: Date): number {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000;
}
