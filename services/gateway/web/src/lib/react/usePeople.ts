'use client';

/** Owns people as components see them: who is there, what they are called, who is in a conversation. */

import { useEffect, useMemo } from 'react';
import type { Participant, PresenceRow, Role, UserId } from '../core/wire.ts';
import { useSession } from './context.tsx';
import { useActions, useRoom } from './useConversations.ts';
import { useReadable } from './useReadable.ts';

const NONE: readonly Participant[] = [];

/** Null while it isn't known, and for good where the gateway doesn't tell. Followed while it is used. */
export function usePresence(userId: UserId | null): PresenceRow | null {
  const session = useSession();
  useEffect(() => {
    if (userId === null || !session) return;
    session.people.presence(userId);
    return session.eyes.watch(userId);
  }, [session, userId]);
  return useReadable(userId === null ? null : session?.store.person(userId), null);
}

/** What the host application's directory calls a user; null until it is known, or for good. */
export function useName(userId: UserId | null): string | null {
  const session = useSession();
  return useReadable(userId === null ? null : session?.people.name(userId), null);
}

export interface ParticipantsView {
  participants: readonly Participant[];
  /** My own role, null while it isn't known. */
  role: Role | null;
  add: (userIds: UserId[], role?: Role) => Promise<void>;
  remove: (userId: UserId) => Promise<void>;
  setRole: (userId: UserId, role: Role) => Promise<void>;
  /** Leaves a group; a direct conversation is put away. */
  leave: () => Promise<void>;
  rename: (title: string) => Promise<void>;
}

export function useParticipants(id: string): ParticipantsView {
  const session = useSession();
  const room = useRoom(id);
  const participants = useReadable(room?.participants, null) ?? NONE;
  const actions = useActions();
  useEffect(() => {
    if (room) session?.people.members(room).catch(() => undefined);
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
