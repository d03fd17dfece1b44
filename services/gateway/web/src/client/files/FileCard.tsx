/** A file as a card with its name and size: to download, or to play if it is a recording. */

import { type Attachment, useFile } from '@messenger/react';
import { useEffect, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { fileName } from '../text/messagePreview.ts';
import { formatDuration, formatSize } from './fileSize.ts';
import { saveAs } from './saveAs.ts';

/** Browsers may still need the URL for some time after the download has begun. */
const KEEP_MS = 60_000;
const PLAYED = ['audio', 'video'];

export function FileCard({ file, tabIndex }: { file: Attachment; tabIndex: number }) {
  const { language, t } = useLanguage();
  const [isPlaying, setPlaying] = useState(false);
  const name = fileName(file.name) ?? t('message.file');
  const isUsable = file.state === 'ready' && !file.file_id.startsWith('upload:');
  const isPlayable = PLAYED.includes(file.kind);
  const state = file.state === 'ready' ? null : t(`files.${file.state}`);
  const length = file.duration_ms ? formatDuration(file.duration_ms) : null;
  const about = [state, length, formatSize(language, file.size)].filter((part) => part !== null);
  return (
    <div className={`file-card ${file.state}`}>
      <div className="file-line">
        <span className="file-icon">
          <Icon name={isPlayable ? 'play' : 'file'} />
        </span>
        <div className="file-text">
          <span className="file-name" dir="auto" title={name}>
            {name}
          </span>
          <span className="file-about">{about.join(' · ')}</span>
        </div>
        {isUsable && isPlayable && !isPlaying && (
          <CardButton
            icon="play"
            label={t('files.play', { name })}
            tabIndex={tabIndex}
            onClick={() => setPlaying(true)}
          />
        )}
        {isUsable && <Download file={file} name={name} tabIndex={tabIndex} />}
      </div>
      {isPlaying && <Player file={file} name={name} />}
    </div>
  );
}

function Download({ file, name, tabIndex }: { file: Attachment; name: string; tabIndex: number }) {
  const { t } = useLanguage();
  /** How many times the user has asked for it. */
  const [asked, setAsked] = useState(0);
  const isWanted = asked > 0;
  const { url, failure, isLoading, retry } = useFile(file, { isWanted });
  useEffect(() => {
    if (asked === 0 || !url) return;
    saveAs(url, name);
    const timer = setTimeout(() => setAsked(0), KEEP_MS);
    return () => clearTimeout(timer);
  }, [asked, url, name]);
  const label = t('files.download', { name });
  return (
    <>
      {failure && (
        <span className="bad" role="status">
          {t('files.missing')}
        </span>
      )}
      <CardButton
        icon="download"
        label={label}
        tabIndex={tabIndex}
        isBusy={isWanted && isLoading}
        onClick={() => {
          if (failure) retry();
          setAsked(asked + 1);
        }}
      />
    </>
  );
}

function Player({ file, name }: { file: Attachment; name: string }) {
  const { t } = useLanguage();
  const { url, failure, retry } = useFile(file);
  if (failure) {
    return (
      <button type="button" className="button small" onClick={retry}>
        {t('tryAgain')}
      </button>
    );
  }
  if (file.kind === 'audio')
    // biome-ignore lint/a11y/useMediaCaption: users' recordings have no captions
    return <audio className="player" src={url ?? undefined} controls autoPlay aria-label={name} />;
  // biome-ignore lint/a11y/useMediaCaption: users' recordings have no captions
  return <video className="player" src={url ?? undefined} controls autoPlay playsInline aria-label={name} />;
}

function CardButton({
  icon,
  label,
  tabIndex,
  isBusy = false,
  onClick,
}: {
  icon: IconName;
  label: string;
  tabIndex: number;
  isBusy?: boolean;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      className={isBusy ? 'icon-button busy' : 'icon-button'}
      tabIndex={tabIndex}
      title={label}
      aria-busy={isBusy}
      onClick={onClick}
    >
      <Icon name={icon} />
      <span className="sr-only">{label}</span>
    </button>
  );
}
