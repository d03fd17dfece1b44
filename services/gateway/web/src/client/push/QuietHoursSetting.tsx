/** The daily hours without pushes. */

import { type QuietHours, useQuietHours } from '@messenger/react';
import { useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { FailureText } from '../parts/FailureText.tsx';
import { useAction } from '../parts/useAction.ts';
import { usePushText } from './texts.ts';

const FIRST = { start: '22:00', end: '07:00' };

const browserZone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

export function QuietHoursSetting() {
  const t = usePushText();
  const texts = useT();
  const { status, hours, setHours, reload } = useQuietHours();
  const { run, isBusy, failure } = useAction();
  const save = (next: QuietHours | null) => void run(() => setHours(next));
  if (status === 'failed')
    return (
      <p className="quiet">
        <span>{t('quiet.failed')}</span>{' '}
        <button type="button" className="button small" onClick={reload}>
          {texts('tryAgain')}
        </button>
      </p>
    );
  return (
    <>
      <label className="switch">
        <input
          type="checkbox"
          role="switch"
          aria-checked={hours !== null}
          checked={hours !== null}
          disabled={isBusy || status === 'loading'}
          onChange={(event) => save(event.target.checked ? { ...FIRST, timezone: browserZone() } : null)}
        />
        <span>{t('quiet')}</span>
      </label>
      {hours && (
        <div className="quiet-hours">
          {(['start', 'end'] as const).map((side) => (
            <TimeField
              key={`${side} ${hours[side]}`}
              label={t(`quiet.${side}`)}
              value={hours[side]}
              onChange={(time) => save({ ...hours, [side]: time, timezone: browserZone() })}
            />
          ))}
          <p className="quiet">{t('quiet.about') + hours.timezone}</p>
        </div>
      )}
      <FailureText failure={failure} />
    </>
  );
}

/** Saves when the user leaves the field: while they type, it goes through times that they don't want. */
function TimeField(props: { label: string; value: string; onChange: (time: string) => void }) {
  const { label, value, onChange } = props;
  const [time, setTime] = useState(value);
  return (
    <label>
      <span>{label}</span>
      <input
        type="time"
        required
        value={time}
        onChange={(event) => setTime(event.target.value)}
        onBlur={() => (time && time !== value ? onChange(time) : setTime(value))}
      />
    </label>
  );
}
