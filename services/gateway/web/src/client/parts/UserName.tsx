/** The name of a user on the screen. While it loads there is a skeleton, never a number that turns into a name. */

import { type UserId, useIsNameLoading, useName } from '@messenger/react';
import { type Translate, useT } from '../i18n/language.tsx';

/**
 * The name from the host application, otherwise the user's number. Id 0 is no user: it stands for an operator
 * who posts as the system.
 */
export function displayName(t: Translate, id: UserId, name: string | null): string {
  return id === 0 ? t('system') : (name ?? t('user', { id: String(id) }));
}

export interface NamedUser {
  /** While the name loads, a word for somebody. It is for labels, which cannot show a skeleton. */
  name: string;
  isLoading: boolean;
}

export function useNamedUser(id: UserId | null): NamedUser {
  const t = useT();
  const name = useName(id || null);
  const isLoading = useIsNameLoading(id || null) && name === null;
  if (id === null) return { name: '', isLoading: false };
  return { name: isLoading ? t('user.loading') : displayName(t, id, name), isLoading };
}

export const useUserName = (id: UserId | null): string => useNamedUser(id).name;

/** A name among other text. */
export function UserName({ id }: { id: UserId }) {
  const { name, isLoading } = useNamedUser(id);
  return isLoading ? <NameSkeleton /> : <bdi>{name}</bdi>;
}

/** A name that fills its element. Its `dir="auto"` would not look into a `bdi`. */
export function NameText({ name, isLoading }: NamedUser) {
  return isLoading ? <NameSkeleton /> : <span>{name}</span>;
}

export function NameSkeleton() {
  const t = useT();
  return (
    <span className="name-skeleton">
      <span className="sr-only">{t('user.loading')}</span>
    </span>
  );
}
