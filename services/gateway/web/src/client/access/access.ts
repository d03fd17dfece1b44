/** What every way of signing in gives the client: tokens, names, and a way to sign out. */

import type { Directory, GetToken } from '@messenger/react';

export interface Access {
  getToken: GetToken;
  directory?: Directory;
  /** Signs the user out. Each way of signing in decides which page comes next. */
  signOut: () => void;
  /** Gets another token after a final refusal. Without it, the client just asks for a token again. */
  signIn?: () => void;
}
