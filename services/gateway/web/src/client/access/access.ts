/** Owns how the client comes by a token: from a page that embeds it, from a login page, or, in development, at will. */

import type { Directory, GetToken } from '@messenger/react';
import type { Config } from '../config.ts';
import { devAccess, devUser } from './dev.ts';
import { hostAccess } from './host.ts';
import { loginAccess } from './login.ts';

export interface Access {
  getToken: GetToken;
  directory?: Directory;
  /** Leaves this user; where that leads is for each way to say. */
  leave: () => void;
  /** Gets another token when the last one is final. Without it the client just asks again. */
  signIn?: () => void;
}

/** `pick` when somebody has to say who they are; `none` when there is no way in. */
export type Way = { kind: 'access'; access: Access } | { kind: 'pick' } | { kind: 'none' };

export function wayIn(config: Config): Way {
  const isEmbedded = window.parent !== window;
  const hosts = config.host_origins.filter((origin) => origin !== location.origin);
  if (isEmbedded && hosts.length) return { kind: 'access', access: hostAccess(hosts) };
  if (config.login_url) return { kind: 'access', access: loginAccess(config.login_url) };
  if (!config.dev_tokens) return { kind: 'none' };
  const user = devUser();
  return user === null ? { kind: 'pick' } : { kind: 'access', access: devAccess(user) };
}
