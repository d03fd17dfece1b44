/** The choice of a skin tone, which counts for all emoji of people. */

import { SKIN_TONES, type SkinTone, withTone } from '../emoji/skinTones.ts';
import { useT } from '../i18n/language.tsx';

export function SkinTones({ tone, onChoose }: { tone: SkinTone; onChoose: (tone: SkinTone) => void }) {
  const t = useT();
  return (
    <fieldset className="choice skin-tones">
      <legend className="sr-only">{t('emoji.tone')}</legend>
      {SKIN_TONES.map((each) => (
        <label key={each} title={t(`emoji.tone.${each}`)}>
          <input
            type="radio"
            name="tone"
            aria-label={t(`emoji.tone.${each}`)}
            checked={tone === each}
            onChange={() => onChoose(each)}
          />
          <span className="emoji">{withTone('✋', each)}</span>
        </label>
      ))}
    </fieldset>
  );
}
