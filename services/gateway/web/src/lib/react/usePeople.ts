'use client';

/** Hooks for users: their presence, their profiles and names, and the members of a conversation. */

import { useEffect, useMemo, useRef, useState } from 'react';
import { combine, type Observable } from '../core/base/observable.ts';
import type { OwnUser, Participant, PresenceRow, Role, User, UserId } from '../core/contract/wire.ts';
import type { Session } from '../core/session.ts';
import { useSession } from './context.tsx';
import { useActions, useRoom } from './useConversations.ts';
import { useReadable } from './useReadable.ts';

const NONE: readonly Participant[] = [];

/**
 * The presence is updated while the hook is used. It is null while it is not known, and for good where the
 * gateway does not tell it.
 */
export function usePresence(userId: UserId | null): PresenceRow | null {
  const session = useSession();
  useEffect(() => {
    if (userId === null || !session) return;
    session.people.presence(userId);
    return session.view.watch(userId);
  }, [session, userId]);
  return useReadable(userId === null ? null : session?.store.presenceOf(userId), null);
}

/** The user's profile. It is null until it is known, and for good if the own user may not see it. */
export function useUser(userId: UserId | null): User | null {
  const session = useSession();
  return useReadable(userId === null ? null : session?.people.user(userId), null);
}

/** The profiles of several users, in the order of the ids. Each is null until it is known, as with `useUser`. */
export function useUsers(userIds: readonly UserId[]): readonly (User | null)[] {
  return useEach(userIds, (session, id) => session.people.user(id));
}

/** The names of several users, in the order of the ids, each as with `useName`. */
export function useNames(userIds: readonly UserId[]): readonly (string | null)[] {
  return useEach(userIds, (session, id) => session.people.name(id));
}

function useEach<T>(
  userIds: readonly UserId[],
  observe: (session: Session, id: UserId) => Observable<T | null>,
): readonly (T | null)[] {
  const session = useSession();
  // Callers often make a new array and a new function for each drawing.
  const key = userIds.join(',');
  const ids = useMemo(() => key.split(',').filter(Boolean).map(Number), [key]);
  const unknown = useMemo(() => ids.map(() => null), [ids]);
  const newest = useRef(observe);
  const values = useMemo(
    () => (session ? combine(ids.map((id) => newest.current(session, id))) : null),
    [session, ids],
  );
  return useReadable(values, unknown);
}

/**
 * The own profile, with the host application's id as `external_id`. Null until it is loaded. It follows
 * changes of the name and the picture.
 */
export function useOwnUser(): OwnUser | null {
  const session = useSession();
  const [own, setOwn] = useState<OwnUser | null>(null);
  const latest = useUser(session?.me ?? null);
  useEffect(() => {
    let isWanted = true;
    setOwn(null);
    session?.people.me().then(
      (found) => isWanted && setOwn(found),
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [session]);
  return useMemo(() => own && { ...own, ...latest }, [own, latest]);
}

/** The user's name, from the `directory` or from the profile. Null until it is known, or if there is none. */
export function useName(userId: UserId | null): string | null {
  const session = useSession();
  return useReadable(userId === null ? null : session?.people.name(userId), null);
}

/** True while the user has no name yet and one may still come. */
export function useIsNameLoading(userId: UserId | null): boolean {
  const session = useSession();
  return useReadable(userId === null ? null : session?.people.isNameLoading(userId), userId !== null);
}

export interface ParticipantsView {
  participants: readonly Participant[];
  /** The own user's role. Null while it is not known. */
  role: Role | null;
  add: (userIds: UserId[], role?: Role) => Promise<void>;
  remove: (userId: UserId) => Promise<void>;
  setRole: (userId: UserId, role: Role) => Promise<void>;
  /** Leaves a group. A direct conversation is only hidden. */
  leave: () => Promise<void>;
  rename: (title: string) => Promise<void>;
}

export function useParticipants(id: string): ParticipantsView {
  const session = useSession();
  const room = useRoom(id);
  const participants = useReadable(room?.participants, null) ?? NONE;
  const actions = useActions();
  useEffect(() => {
    if (room) session?.people.loadMembers(room).catch(() => undefined);
  }, [session, room]);
  return useMemo(
    () => ({
      participants,
      role: participants.find((each) => each.user_id === session?.me)?.role ?? null,
      add: (userIds, role) => actions().addParticipants(id, userIds, role),
      remove: (userId) => actions().removeParticipant(id, userId),
      setRole: (userId, role) => actions().setRole(id, userId, role),
      leave: () => actions().leave(id),
      rename: (title) => actions().rename(id, title),
    }),
    [session, id, participants, actions],
  );
}
