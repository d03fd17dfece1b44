/**
 * The page's two panes: the list of conversations, and the open one. A narrow screen shows only one of them.
 */

import { useSession, useWebSocket } from '@messenger/react';
import { useState } from 'react';
import type { Access } from './access/access.ts';
import { Banner } from './Banner.tsx';
import { useT } from './i18n/language.tsx';
import { Sidebar } from './list/Sidebar.tsx';
import { ErrorBoundary } from './parts/ErrorBoundary.tsx';
import { SafePart } from './parts/ErrorFallback.tsx';
import { Icon } from './parts/Icon.tsx';
import { LazyDialog, lazyDialog } from './parts/LazyDialog.tsx';
import { LazyPart } from './parts/LazyPart.tsx';
import { useRoute } from './parts/route.ts';
import type { useTheme } from './parts/theme.ts';
import { Thread } from './thread/Thread.tsx';
import { useUnreadAlerts } from './useUnreadAlerts.ts';

// Loaded later, because the first view does not need it.
const newConversation = lazyDialog(() => import('./dialogs/NewConversation.tsx'));
const loadPush = () => import('./push/PushAtStart.tsx');

export interface AppProps {
  access: Access;
  theme: ReturnType<typeof useTheme>;
}

/** A message to go to, in this conversation. */
interface Target {
  id: string;
  messageId: string;
}

export function App({ access, theme }: AppProps) {
  const t = useT();
  const [open, go] = useRoute();
  const [isStarting, setStarting] = useState(false);
  const me = useSession()?.me ?? null;
  const notifications = useUnreadAlerts(go);
  const [target, setTarget] = useState<Target | null>(null);
  const openMessage = (id: string, messageId: string) => {
    setTarget({ id, messageId });
    go(id);
  };
  return (
    <main className="app" data-pane={open === null ? 'list' : 'thread'}>
      <h1 className="sr-only">{t('app')}</h1>
      <ErrorBoundary fallback={() => <div className="banner" />}>
        <Banner access={access} />
      </ErrorBoundary>
      <div className="list-pane">
        <SafePart>
          <Sidebar
            open={open}
            onOpen={go}
            onOpenMessage={openMessage}
            onStart={() => setStarting(true)}
            access={access}
            theme={theme}
            notifications={notifications}
          />
        </SafePart>
      </div>
      <div className="thread-pane">
        {open === null || me === null ? (
          <EmptyPane isKnown={me !== null} />
        ) : (
          <SafePart key={`${me} ${open}`} onBack={() => go(null)}>
            <Thread id={open} target={target?.id === open ? target : null} onLeave={() => go(null)} />
          </SafePart>
        )}
      </div>
      {me !== null && <LazyPart load={loadPush} props={{ onOpen: go }} />}
      {isStarting && (
        <LazyDialog loader={newConversation} props={{ onClose: () => setStarting(false), onCreated: go }} />
      )}
    </main>
  );
}

/** `isKnown`: whether the first token has told who the user is, which takes a connection. */
function EmptyPane({ isKnown }: { isKnown: boolean }) {
  const t = useT();
  const { state } = useWebSocket();
  if (!isKnown && state.phase === 'waiting')
    return (
      <div className="empty-state">
        <p className="quiet">{t('conversation.offline')}</p>
      </div>
    );
  return (
    <div className="empty-state">
      <Icon name="chat" />
      <h2>{t('conversation.pick')}</h2>
      <p className="quiet">{t('conversation.pick.about')}</p>
    </div>
  );
}
