/**
 * Shows pictures one by one on the whole page, by PhotoSwipe: with the keyboard, by swipes and by pinching. Its own
 * buttons are written as HTML text, which the page's policy forbids, so the buttons here are ours.
 */

import type { Attachment, FileState, Session } from '@messenger/react';
import PhotoSwipe, { type SlideData } from 'photoswipe';
import 'photoswipe/style.css';
import type { Translate } from '../i18n/language.tsx';
import { fileName } from '../text/messagePreview.ts';
import { saveAs } from './saveAs.ts';

export interface ViewerOptions {
  files: readonly Attachment[];
  /** The picture to begin with. */
  index: number;
  cache: Session['files']['cache'];
  t: Translate;
}

const WAITING = 'waiting';
const SVG = 'http://www.w3.org/2000/svg';
const PATHS = {
  close: 'M6 6l12 12M18 6L6 18',
  previous: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  download: 'M12 4v11M7 10.5l5 5 5-5M5 20h14',
  zoom: 'M11 4a7 7 0 100 14 7 7 0 000-14zM16 16l4.5 4.5M8 11h6M11 8v6',
};
const NO_UI = {
  arrowPrev: false,
  arrowNext: false,
  close: false,
  zoom: false,
  counter: false,
  preloader: false,
};

export function showPictures(options: ViewerOptions): void {
  const { files, index, t } = options;
  const slides: SlideData[] = files.map(() => ({ type: WAITING }));
  const animation = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'none' : 'fade';
  const viewer = new PhotoSwipe({
    ...NO_UI,
    dataSource: slides,
    index,
    loop: false,
    bgOpacity: 0.94,
    showHideAnimationType: animation,
    errorMsg: t('files.missing'),
  });
  const ending = new AbortController();
  viewer.on('contentLoad', (event) => {
    const { content } = event;
    const file = files[content.index];
    if (content.type !== WAITING || !file) return;
    event.preventDefault();
    content.element = document.createElement('div');
    content.element.className = 'viewer-waiting';
    void loadSlide(options, file, ending.signal).then((slide) => {
      slides[content.index] = slide;
      if (!ending.signal.aborted) viewer.refreshSlideContent(content.index);
    });
  });
  viewer.on('destroy', () => ending.abort());
  viewer.on('bindEvents', () => addControls(viewer, options));
  viewer.init();
}

/** Resolves when the picture can be drawn in its size. A broken one has a slide that says so. */
async function loadSlide(
  { cache, t }: ViewerOptions,
  file: Attachment,
  signal: AbortSignal,
): Promise<SlideData> {
  const key = { fileId: file.file_id, thumb: null, size: file.size };
  const end = cache.use(key);
  signal.addEventListener('abort', end);
  const alt = fileName(file.name) ?? t('message.file');
  const { url } = await settled(cache.of(key), signal);
  const image = new Image();
  image.src = url ?? '';
  await image.decode().catch(() => undefined);
  const { naturalWidth: width, naturalHeight: height } = image;
  return { src: url ?? 'about:invalid', alt, width: width || 320, height: height || 240 };
}

function settled(state: ReturnType<ViewerOptions['cache']['of']>, signal: AbortSignal): Promise<FileState> {
  return new Promise((resolve) => {
    const isSettled = ({ url, failure }: FileState) => url !== null || failure !== null || signal.aborted;
    const look = () => {
      if (!isSettled(state.get())) return;
      off();
      resolve(state.get());
    };
    const off = state.watch(look);
    signal.addEventListener('abort', look);
    look();
  });
}

function addControls(viewer: PhotoSwipe, { files, t }: ViewerOptions): void {
  const root = viewer.element;
  if (!root) return;
  root.setAttribute('aria-modal', 'true');
  root.setAttribute('aria-label', t('viewer.title'));
  const bar = document.createElement('div');
  bar.className = 'viewer-bar';
  const text = document.createElement('p');
  text.className = 'viewer-text';
  text.dir = 'auto';
  text.setAttribute('aria-live', 'polite');
  bar.append(text);
  const add = (name: keyof typeof PATHS, label: string, act: () => void) => {
    const button = makeButton(name, label, act);
    bar.append(button);
    return button;
  };
  const several = files.length > 1;
  const previous = several ? add('previous', t('viewer.previous'), () => viewer.prev()) : null;
  const next = several ? add('next', t('viewer.next'), () => viewer.next()) : null;
  add('zoom', t('viewer.zoom'), () => viewer.toggleZoom());
  const nameNow = () => fileName(files[viewer.currIndex]?.name) ?? t('message.file');
  const download = add('download', '', () => {
    const { src } = viewer.currSlide?.data ?? {};
    if (src) saveAs(src, nameNow());
  });
  add('close', t('close'), () => viewer.close());
  root.append(bar);
  const update = () => {
    const at = viewer.currIndex;
    const name = nameNow();
    setLabel(download, t('files.download', { name }));
    const count = t('viewer.count', { index: at + 1, count: files.length });
    text.textContent = several ? `${count} · ${name}` : name;
    if (previous) previous.disabled = at === 0;
    if (next) next.disabled = at === files.length - 1;
  };
  viewer.on('change', update);
  update();
}

function setLabel(button: HTMLButtonElement, label: string): void {
  button.title = label;
  button.setAttribute('aria-label', label);
}

function makeButton(name: keyof typeof PATHS, label: string, act: () => void): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'icon-button';
  setLabel(button, label);
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('viewBox', '0 0 24 24');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  button.append(svg);
  button.addEventListener('click', act);
  return button;
}
