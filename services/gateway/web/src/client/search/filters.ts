/** The filters of a search as users choose them: by days of their own time zone. */

import type { SearchFilters, UserId } from '@messenger/react';

export interface ChosenFilters {
  from?: UserId;
  conversationId?: string;
  has?: 'file' | 'link';
  /** The first and the last day, as `YYYY-MM-DD`. */
  since?: string;
  until?: string;
}

export const NO_FILTERS: ChosenFilters = {};

export const isFiltered = (filters: ChosenFilters): boolean => Object.keys(filters).length > 0;

/** Returns the filters with some changed. Those that become undefined are gone. */
export function withFilters(
  filters: ChosenFilters,
  change: { [Name in keyof ChosenFilters]: ChosenFilters[Name] | undefined },
): ChosenFilters {
  const all = Object.entries({ ...filters, ...change });
  return Object.fromEntries(all.filter(([, value]) => value !== undefined && value !== ''));
}

/** The gateway's filters. Its times are excluded, and the days are meant to be in. */
export function toSearchFilters({ since, until, ...filters }: ChosenFilters): SearchFilters {
  const first = since === undefined ? undefined : startOfDay(since, 0);
  const next = until === undefined ? undefined : startOfDay(until, 1);
  return {
    ...filters,
    after: first && new Date(first.getTime() - 1).toISOString(),
    before: next?.toISOString(),
  };
}

/** Undefined for what is no day, such as one that is being typed. */
function startOfDay(day: string, daysLater: number): Date | undefined {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  const start = new Date(Number(year), Number(month) - 1, Number(date) + daysLater);
  return Number.isNaN(start.getTime()) ? undefined : start;
}
