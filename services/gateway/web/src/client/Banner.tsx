/** Owns the line that tells the truth about the connection, and about what waits for it. */

import { type LinkState, useOutbox, useWebSocket } from '@messenger/react';
import { useEffect, useState } from 'react';
import type { Access } from './access/access.ts';
import type { Key } from './i18n/en.ts';
import { type Translate, useT } from './i18n/language.tsx';

/** A connection that is there in less was never missing. */
const PATIENCE_MS = 600;
const BACK_MS = 2_500;
/** Sending that takes longer is worth a word. */
const SLOW_MS = 2_500;

const AWAY: Record<number, Key> = {
  0: 'banner.unauthorised',
  1008: 'banner.unauthorised',
  4503: 'banner.revoked',
  4504: 'banner.sockets',
};

type Tone = 'busy' | 'bad' | 'good';

export function Banner({ access }: { access: Access }) {
  const t = useT();
  const { state, renew, hurry } = useWebSocket();
  const waiting = useOutbox().filter((entry) => entry.failure === null).length;
  const isSlow = useLasting(waiting > 0, SLOW_MS);
  const isMissing = useLasting(state.phase === 'connecting' || state.phase === 'idle', PATIENCE_MS);
  const isBack = useBack(state.phase);
  const isNetwork = useNetwork();
  const said = say(t, { state, waiting, isSlow, isMissing, isBack, isNetwork });
  const isAway = state.phase === 'away';
  return (
    <div className="banner" role="status" data-tone={said?.tone} data-phase={state.phase}>
      {said && <span>{said.text}</span>}
      {state.phase === 'waiting' && isNetwork && <Again label={t('banner.now')} onClick={hurry} />}
      {isAway && access.signIn && <Again label={t('banner.signin')} onClick={access.signIn} />}
      {isAway && !access.signIn && <Again label={t('banner.again')} onClick={renew} />}
    </div>
  );
}

function Again({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" className="button small" onClick={onClick}>
      {label}
    </button>
  );
}

interface Facts {
  state: LinkState;
  waiting: number;
  isSlow: boolean;
  isMissing: boolean;
  isBack: boolean;
  isNetwork: boolean;
}

function say(t: Translate, facts: Facts): { tone: Tone; text: string } | null {
  const { state, waiting } = facts;
  const kept = waiting > 0 ? ` ${t('banner.outbox', { count: waiting })}` : '';
  if (state.phase === 'away') return { tone: 'bad', text: away(t, state.code) };
  if (!facts.isNetwork) return { tone: 'bad', text: t('banner.offline') + kept };
  if (state.phase === 'waiting') return { tone: 'bad', text: t('banner.waiting') + kept };
  if (state.phase !== 'online')
    return facts.isMissing ? { tone: 'busy', text: t('banner.connecting') + kept } : null;
  if (facts.isSlow && waiting) return { tone: 'busy', text: t('banner.sending', { count: waiting }) };
  return facts.isBack ? { tone: 'good', text: t('banner.back') } : null;
}

function away(t: Translate, code: number): string {
  const key = AWAY[code];
  return key ? t(key) : t('banner.away', { code });
}

/** Whether something has been so for a while. */
function useLasting(isSo: boolean, afterMs: number): boolean {
  const [isLasting, setLasting] = useState(false);
  useEffect(() => {
    if (!isSo) return setLasting(false);
    const timer = setTimeout(() => setLasting(true), afterMs);
    return () => clearTimeout(timer);
  }, [isSo, afterMs]);
  return isSo && isLasting;
}

/** For a moment after a connection that was really missing is there again. */
function useBack(phase: LinkState['phase']): boolean {
  const [wasLost, setLost] = useState(false);
  useEffect(() => {
    if (phase === 'waiting' || phase === 'away') setLost(true);
    if (phase !== 'online') return;
    const timer = setTimeout(() => setLost(false), BACK_MS);
    return () => clearTimeout(timer);
  }, [phase]);
  return wasLost && phase === 'online';
}

function useNetwork(): boolean {
  const [isThere, setThere] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => setThere(navigator.onLine);
    for (const event of ['online', 'offline']) window.addEventListener(event, look);
    return () => {
      for (const event of ['online', 'offline']) window.removeEventListener(event, look);
    };
  }, []);
  return isThere;
}
