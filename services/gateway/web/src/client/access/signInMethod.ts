/**
 * Chooses how the user signs in: through the page that embeds the client, a login page, or the development
 * picker.
 */

import type { Config } from '../config.ts';
import type { Access } from './access.ts';
import { devAccess, devUserFromAddress, type OfferedUser, readOfferedUsers } from './dev.ts';
import { hostAccess } from './host.ts';
import { loginAccess } from './login.ts';

/** `pick`: the user has to choose who they are. `none`: there is no way to sign in. */
export type SignInMethod =
  | { kind: 'access'; access: Access }
  | { kind: 'pick'; users: readonly OfferedUser[] }
  | { kind: 'none' };

export async function chooseSignInMethod(config: Config): Promise<SignInMethod> {
  const isEmbedded = window.parent !== window;
  const hosts = config.host_origins.filter((origin) => origin !== location.origin);
  if (isEmbedded && hosts.length) return { kind: 'access', access: hostAccess(hosts) };
  if (config.login_url) return { kind: 'access', access: loginAccess(config.login_url) };
  if (!config.dev_tokens) return { kind: 'none' };
  const user = devUserFromAddress();
  if (user === null) return { kind: 'pick', users: await readOfferedUsers() };
  return { kind: 'access', access: devAccess(user) };
}
