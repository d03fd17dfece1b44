/** The button that adds files to the draft. On a phone it offers the camera and the gallery. */

import { useRef } from 'react';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';

export function AttachButton({ onFiles }: { onFiles: (files: File[]) => void }) {
  const t = useT();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="file-input"
        onChange={({ target }) => {
          onFiles([...(target.files ?? [])]);
          // The same file may be chosen again.
          target.value = '';
        }}
      />
      <button
        type="button"
        className="icon-button"
        title={t('files.add')}
        onPointerDown={(event) => event.preventDefault()}
        onClick={() => input.current?.click()}
      >
        <Icon name="attach" />
        <span className="sr-only">{t('files.add')}</span>
      </button>
    </>
  );
}
