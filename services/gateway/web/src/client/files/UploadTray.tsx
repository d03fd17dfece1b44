/** The files of the draft, above the text box: what they are, how far they are, and what can be done. */

import { type Upload, useFile } from '@messenger/react';
import { failureText } from '../i18n/failures.ts';
import { useLanguage } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';
import { fileName } from '../text/messagePreview.ts';
import { formatSize } from './fileSize.ts';
import { ProgressBar } from './ProgressBar.tsx';
import type { DraftFiles } from './useDraftFiles.ts';

export function UploadTray({ files }: { files: DraftFiles }) {
  const { t } = useLanguage();
  const { uploads, leftOut, hasFailed, isAdding, failure } = files;
  const notice = failure
    ? failureText(t, failure)
    : leftOut > 0
      ? t('files.tooMany', { count: leftOut })
      : hasFailed
        ? t('files.failed')
        : '';
  return (
    <>
      <p className="tray-notice bad" role="status">
        {notice}
      </p>
      {isAdding && <p className="tray-notice quiet">{t('files.adding')}</p>}
      {uploads.length > 0 && (
        <ul className="tray" aria-label={t('files.tray')}>
          {uploads.map((upload) => (
            <TrayItem key={upload.id} upload={upload} files={files} />
          ))}
        </ul>
      )}
    </>
  );
}

function TrayItem({ upload, files }: { upload: Upload; files: DraftFiles }) {
  const { t } = useLanguage();
  const { id, file, phase, sent } = upload;
  const name = fileName(file.name) ?? t('message.file');
  return (
    <li className={`tray-item ${phase}`} data-testid="upload" data-phase={phase}>
      <Preview upload={upload} files={files} />
      <div className="tray-text">
        <span className="tray-name" dir="auto" title={name}>
          {name}
        </span>
        <State upload={upload} />
        {(phase === 'uploading' || phase === 'waiting') && (
          <ProgressBar label={t('files.progress', { name })} done={sent} of={file.size} />
        )}
      </div>
      {phase === 'failed' && (
        <TrayButton icon="retry" label={t('files.retry', { name })} onClick={() => files.retry(id)} />
      )}
      <TrayButton icon="close" label={t('files.remove', { name })} onClick={() => files.remove(id)} />
    </li>
  );
}

function TrayButton({
  icon,
  label,
  onClick,
}: {
  icon: 'retry' | 'close';
  label: string;
  onClick: () => void;
}) {
  return (
    <button type="button" className="icon-button" title={label} onClick={onClick}>
      <Icon name={icon} />
      <span className="sr-only">{label}</span>
    </button>
  );
}

function State({ upload: { phase, failure, sent, file } }: { upload: Upload }) {
  const { language, t } = useLanguage();
  if (failure && phase !== 'failed') return <span className="tray-state quiet">{t('files.paused')}</span>;
  if (failure)
    return (
      <span className="tray-state bad" role="status">
        {failureText(t, failure)}
      </span>
    );
  const size = formatSize(language, file.size);
  const done = phase === 'uploading' && sent > 0 ? `${formatSize(language, sent)} / ${size}` : size;
  return <span className="tray-state quiet">{done}</span>;
}

function Preview({ upload: { id, file }, files }: { upload: Upload; files: DraftFiles }) {
  const isPicture = file.kind === 'image';
  const { url } = useFile(file, { isWanted: isPicture });
  if (!isPicture || !url)
    return (
      <span className="tray-preview">
        <Icon name={file.kind === 'file' ? 'file' : 'play'} />
      </span>
    );
  return (
    <span className="tray-preview">
      <img
        src={url}
        alt=""
        onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
          files.measured(id, naturalWidth, naturalHeight)
        }
      />
    </span>
  );
}
