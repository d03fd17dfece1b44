/** Owns the two panes: the conversations, and the open one. On a narrow screen one of them is shown. */

import { useSession } from '@messenger/react';
import { lazy, Suspense, useState } from 'react';
import type { Access } from './access/access.ts';
import { Banner } from './Banner.tsx';
import { useT } from './i18n/language.tsx';
import { Sidebar } from './list/Sidebar.tsx';
import { Icon } from './parts/Icon.tsx';
import { useRoute } from './parts/route.ts';
import type { useTheme } from './parts/theme.ts';
import { Thread } from './thread/Thread.tsx';
import { useAttention } from './useAttention.ts';

// Not needed for the first sight of the client.
const NewConversation = lazy(() => import('./dialogs/NewConversation.tsx'));

export interface AppProps {
  access: Access;
  theme: ReturnType<typeof useTheme>;
}

export function App({ access, theme }: AppProps) {
  const t = useT();
  const [open, go] = useRoute();
  const [isStarting, setStarting] = useState(false);
  const me = useSession()?.me ?? null;
  const notifications = useAttention(go);
  return (
    <main className="app" data-pane={open === null ? 'list' : 'thread'}>
      <h1 className="sr-only">{t('app')}</h1>
      <Banner access={access} />
      <Sidebar
        open={open}
        onOpen={go}
        onStart={() => setStarting(true)}
        access={access}
        theme={theme}
        notifications={notifications}
      />
      <div className="pane">
        {open === null || me === null ? (
          <div className="blank">
            <Icon name="chat" />
            <h2>{t('conversation.pick')}</h2>
            <p className="quiet">{t('conversation.pick.about')}</p>
          </div>
        ) : (
          <Thread key={open} id={open} me={me} onLeave={() => go(null)} />
        )}
      </div>
      {isStarting && (
        <Suspense>
          <NewConversation onClose={() => setStarting(false)} onMade={go} />
        </Suspense>
      )}
    </main>
  );
}
