/** Starts the client. The gateway's settings decide how the user signs in. */

import { createRoot } from 'react-dom/client';
import { chooseSignInMethod, type SignInMethod } from './access/signInMethod.ts';
import { readConfig } from './config.ts';
import { guardDom } from './parts/guardDom.ts';
import { watchUncaughtErrors } from './parts/uncaughtErrors.ts';
import { Root } from './Root.tsx';
import './styles/base.css';
import './styles/people.css';
import './styles/list.css';
import './styles/thread.css';
import './styles/formatting.css';
import './styles/mentions.css';
import './styles/dialogs.css';
import './styles/reactions.css';
import './styles/pins.css';
import './styles/files.css';
import './styles/errors.css';

/** Null if the settings cannot be read, for any reason. The page then says so. */
async function loadSignInMethod(): Promise<SignInMethod | null> {
  return readConfig()
    .then(chooseSignInMethod)
    .catch(() => null);
}

guardDom();
watchUncaughtErrors();
const root = createRoot(document.getElementById('root') as HTMLElement);
root.render(<Root signInMethod={await loadSignInMethod()} />);
