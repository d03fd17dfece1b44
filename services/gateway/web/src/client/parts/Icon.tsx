/** The icons. They have the colour of the text. No button has only an icon to say what it does. */

const PATHS = {
  attach: 'M20 11.5l-8.2 8.2a5 5 0 01-7-7l8.5-8.6a3.3 3.3 0 014.7 4.7l-8.4 8.5a1.7 1.7 0 01-2.4-2.4l7.7-7.7',
  back: 'M15 5l-7 7 7 7',
  chat: 'M5 5h14a2 2 0 012 2v8a2 2 0 01-2 2h-7l-4 3.5V17H5a2 2 0 01-2-2V7a2 2 0 012-2zM8 11h.01M12 11h.01M16 11h.01',
  check: 'M5 12.5l4.5 4.5L19 7',
  checks: 'M2.5 12.5L7 17l8.5-9.5M11 15.5l1.5 1.5L21.5 7.5',
  clock: 'M12 7v5l3 2M12 3a9 9 0 100 18 9 9 0 000-18z',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  down: 'M6 9l6 6 6-6',
  download: 'M12 4v11M7 10.5l5 5 5-5M5 20h14',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4',
  file: 'M6 3h8l5 5v13H6zM14 3v5h5',
  info: 'M12 11v5M12 8v.01M12 3a9 9 0 100 18 9 9 0 000-18z',
  menu: 'M5 12h.01M12 12h.01M19 12h.01',
  mute: 'M9 18a3 3 0 006 0M18 15V11a6 6 0 00-9.6-4.8M6 9.5V15l-2 3h13M4 4l16 16',
  note: 'M6 3h12v18l-6-4.5L6 21z',
  people:
    'M9 11a3.5 3.5 0 100-7 3.5 3.5 0 000 7zM2.5 20a6.5 6.5 0 0113 0M16 4.5a3.5 3.5 0 010 6.5M18 14a6.5 6.5 0 013.5 6',
  pin: 'M9 3h6l-1 7 4 4H6l4-4zM12 14v7',
  play: 'M8 5l11 7-11 7z',
  plus: 'M12 5v14M5 12h14',
  reply: 'M10 7L4 12l6 5M4 12h9a7 7 0 017 7',
  up: 'M6 15l6-6 6 6',
  unread: 'M12 8a4 4 0 100 8 4 4 0 000-8z',
  retry: 'M19 5v5h-5M19 10a7.5 7.5 0 10.5 4',
  search: 'M11 4a7 7 0 100 14 7 7 0 000-14zM16 16l4.5 4.5',
  smile: 'M12 3a9 9 0 100 18 9 9 0 000-18zM8.5 14a4.5 4.5 0 007 0M9 9.5h.01M15 9.5h.01',
  send: 'M4 12l16-8-5 16-3.5-6.5z',
  megaphone: 'M4 10v4l11 5V5zM15 9a3 3 0 010 6M7 15l1.5 5',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  warning: 'M12 9v5M12 17v.01M12 3.5L2.5 20h19z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
