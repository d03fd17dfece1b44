/** Owns the start: what the gateway says of itself decides how the user comes in. */

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { type Way, wayIn } from './access/access.ts';
import { readConfig } from './config.ts';
import { Gate } from './Gate.tsx';
import { LanguageProvider } from './i18n/language.tsx';
import './styles/base.css';
import './styles/list.css';
import './styles/thread.css';
import './styles/dialogs.css';

async function way(): Promise<Way | null> {
  return readConfig().then(wayIn, () => null);
}

const root = createRoot(document.getElementById('root') as HTMLElement);
root.render(
  <StrictMode>
    <LanguageProvider>
      <Gate way={await way()} />
    </LanguageProvider>
  </StrictMode>,
);
