/** The fields to choose from which day to which day is searched. */

import { useId } from 'react';
import { useT } from '../i18n/language.tsx';
import type { ChosenFilters } from './filters.ts';

export interface DayFilterProps {
  filters: ChosenFilters;
  onChange: (change: Pick<ChosenFilters, 'since' | 'until'>) => void;
}

export function DayFilter({ filters: { since = '', until = '' }, onChange }: DayFilterProps) {
  const t = useT();
  const id = useId();
  return (
    <div className="filter-days">
      <label className="label" htmlFor={`${id}-since`}>
        {t('search.firstDay')}
      </label>
      <input
        id={`${id}-since`}
        className="field"
        type="date"
        value={since}
        max={until || undefined}
        onChange={({ target }) => onChange({ since: target.value })}
      />
      <label className="label" htmlFor={`${id}-until`}>
        {t('search.lastDay')}
      </label>
      <input
        id={`${id}-until`}
        className="field"
        type="date"
        value={until}
        min={since || undefined}
        onChange={({ target }) => onChange({ until: target.value })}
      />
    </div>
  );
}
