/** Owns the menu of one message, and the questions that it leads to. */

import { Menu } from '@base-ui/react/menu';
import { type ChatMessage, type ConversationRow, type MessagesView, useParticipants } from '@messenger/react';
import { useEffect, useRef, useState } from 'react';
import { DeleteMessage } from '../dialogs/DeleteMessage.tsx';
import { Readers } from '../dialogs/Readers.tsx';
import { useT } from '../i18n/language.tsx';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { type Act, actsOn } from './acts.ts';
import type { Aim } from './Thread.tsx';

const ICONS: Record<Act, IconName> = {
  reply: 'reply',
  copy: 'file',
  readers: 'checks',
  edit: 'edit',
  delete: 'trash',
};

export interface MessageMenuProps {
  message: ChatMessage;
  anchor: Element;
  row: ConversationRow;
  view: MessagesView;
  onAim: (aim: Aim) => void;
  onClose: () => void;
}

export default function MessageMenu({ message, anchor, row, view, onAim, onClose }: MessageMenuProps) {
  const t = useT();
  const { role } = useParticipants(row.id);
  const [asked, setAsked] = useState<'readers' | 'delete' | null>(null);
  const acts = actsOn(message, row, role);
  const popup = useRef<HTMLDivElement>(null);
  // Opened by a key or a click that was no trigger of the menu's own, so it has to be told where to begin.
  useEffect(() => {
    const frame = requestAnimationFrame(() =>
      popup.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus(),
    );
    return () => cancelAnimationFrame(frame);
  }, []);
  const place = anchor.closest<HTMLElement>('[data-key]');

  const done = () => {
    onClose();
    place?.focus();
  };
  const act = (what: Act) => {
    if (what === 'readers' || what === 'delete') return setAsked(what);
    onClose();
    if (what === 'copy') void navigator.clipboard?.writeText(message.content ?? '');
    // When the menu is gone, which gives the focus back before.
    else requestAnimationFrame(() => onAim({ kind: what, message }));
  };

  if (asked === 'readers') return <Readers message={message} onClose={done} />;
  if (asked === 'delete') return <DeleteMessage message={message} view={view} onClose={done} />;
  if (acts.length === 0) return null;
  return (
    <Menu.Root open modal={false} onOpenChange={(isOpen) => !isOpen && done()}>
      <Menu.Portal>
        <Menu.Positioner
          anchor={anchor}
          side="bottom"
          align={message.isMine ? 'end' : 'start'}
          sideOffset={4}
          className="menu-place"
        >
          <Menu.Popup ref={popup} className="menu" aria-label={t('message.actions')} finalFocus={false}>
            {acts.map((what) => (
              <Menu.Item
                key={what}
                className={what === 'delete' ? 'menu-item bad' : 'menu-item'}
                closeOnClick={false}
                onClick={() => act(what)}
              >
                <Icon name={ICONS[what]} />
                {t(`message.${what}`)}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
