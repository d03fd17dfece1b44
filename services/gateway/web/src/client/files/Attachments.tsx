/** The files of a message: pictures in a grid, recordings with a player, and all others as cards. */

import { type Attachment, type ChatMessage, useFile, useSession, useUploadsOf } from '@messenger/react';
import { type ReactNode, useRef, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';
import { fileName } from '../text/messagePreview.ts';
import { Blurhash } from './Blurhash.tsx';
import { FileCard } from './FileCard.tsx';
import { openViewer } from './openViewer.ts';
import { ProgressBar } from './ProgressBar.tsx';
import { columnsOf, isPicture, picturesOf, ratioOf, sideFor } from './pictures.ts';

export interface AttachmentsProps {
  message: ChatMessage;
  /** Whether the user is at this message, so that Tab reaches what is in it. */
  isCurrent: boolean;
  onCancel: (id: string) => void;
}

export function Attachments({ message, isCurrent, onCancel }: AttachmentsProps) {
  const files: readonly Attachment[] = message.attachments ?? [];
  const pictures = picturesOf(files);
  const others = files.filter((file) => !isPicture(file));
  const tabIndex = isCurrent ? 0 : -1;
  return (
    <div className="attachments" data-testid="attachments">
      {pictures.length > 0 && <Pictures files={pictures} tabIndex={tabIndex} />}
      {others.map((file) => (
        <FileCard key={file.file_id} file={file} tabIndex={tabIndex} />
      ))}
      {message.status === 'sending' && <Sending message={message} tabIndex={tabIndex} onCancel={onCancel} />}
    </div>
  );
}

function Pictures({ files, tabIndex }: { files: readonly Attachment[]; tabIndex: number }) {
  const t = useT();
  const session = useSession();
  const grid = useRef<HTMLDivElement>(null);
  const [first] = files;
  const isAlone = files.length === 1;
  const style = isAlone && first ? { aspectRatio: String(ratioOf(first)) } : undefined;
  const open = (index: number) => {
    if (session) openViewer({ files, index, cache: session.files.cache, t });
  };
  return (
    <div ref={grid} className={`pictures columns-${columnsOf(files.length)}`} style={style}>
      {files.map((file, index) => (
        <Picture
          // The id changes when the upload is complete, and the picture stays.
          // biome-ignore lint/suspicious/noArrayIndexKey: the files of a message keep their order
          key={index}
          file={file}
          side={sideFor(files.length)}
          tabIndex={tabIndex}
          onOpen={() => open(index)}
        />
      ))}
    </div>
  );
}

interface PictureProps {
  file: Attachment;
  side: number;
  tabIndex: number;
  onOpen: () => void;
}

function Picture({ file, side, tabIndex, onOpen }: PictureProps) {
  const t = useT();
  const { url, failure, retry } = useFile(file, { side, isWanted: isReadable(file) });
  const [isBroken, setBroken] = useState(false);
  const name = fileName(file.name) ?? t('message.file');
  if (file.state === 'pending' && !url) return <Place file={file}>{t('files.pending')}</Place>;
  if (isBroken) return <Place file={file}>{t('files.missing')}</Place>;
  if (failure) {
    return (
      <button type="button" className="picture" tabIndex={tabIndex} onClick={retry}>
        <Icon name="retry" />
        <span>{t('files.missing')}</span>
        <span className="sr-only">{name}</span>
      </button>
    );
  }
  return (
    <button type="button" className="picture" tabIndex={tabIndex} aria-haspopup="dialog" onClick={onOpen}>
      {!url && file.blurhash && <Blurhash hash={file.blurhash} />}
      {url ? (
        <img src={url} alt={name} draggable={false} onError={() => setBroken(true)} />
      ) : (
        <span className="sr-only">{name}</span>
      )}
    </button>
  );
}

/** Others cannot read a file before it was checked. */
const isReadable = (file: Attachment) => file.state === 'ready';

function Place({ file, children }: { file: Attachment; children: ReactNode }) {
  const t = useT();
  return (
    <div className="picture">
      {file.blurhash && <Blurhash hash={file.blurhash} />}
      <span className="picture-state">{children}</span>
      <span className="sr-only">{fileName(file.name) ?? t('message.file')}</span>
    </div>
  );
}

/** How far the uploads are that the message waits for, in the tab that has them. */
function Sending({
  message,
  tabIndex,
  onCancel,
}: {
  message: ChatMessage;
  tabIndex: number;
  onCancel: AttachmentsProps['onCancel'];
}) {
  const t = useT();
  const uploads = useUploadsOf(message.client_message_id);
  if (uploads.length === 0) return null;
  const sum = (values: number[]) => values.reduce((one, other) => one + other, 0);
  const label = t('files.sending', { count: uploads.length });
  return (
    <div className="sending">
      <ProgressBar
        label={label}
        done={sum(uploads.map((upload) => upload.sent))}
        of={sum(uploads.map((upload) => upload.file.size))}
      />
      <button
        type="button"
        className="icon-button"
        tabIndex={tabIndex}
        title={t('files.cancel')}
        onClick={() => onCancel(message.client_message_id ?? '')}
      >
        <Icon name="close" />
        <span className="sr-only">{t('files.cancel')}</span>
      </button>
    </div>
  );
}
