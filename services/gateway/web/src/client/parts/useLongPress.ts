/** Hook for a long press on a touch screen. The click that ends the press does not count. */

import { type PointerEvent, useCallback, useEffect, useRef } from 'react';

const LONG_PRESS_MS = 500;
const MAX_MOVE_PX = 10;

export function useLongPress(action: () => void) {
  const press = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number } | null>(null);
  const isFired = useRef(false);
  const cancel = useCallback(() => {
    clearTimeout(press.current?.timer);
    press.current = null;
  }, []);
  useEffect(() => cancel, [cancel]);
  const props = {
    onPointerDown: ({ pointerType, clientX: x, clientY: y }: PointerEvent) => {
      cancel();
      isFired.current = false;
      if (pointerType !== 'touch') return;
      const fire = () => {
        isFired.current = true;
        action();
      };
      press.current = { timer: setTimeout(fire, LONG_PRESS_MS), x, y };
    },
    onPointerMove: ({ clientX, clientY }: PointerEvent) => {
      const from = press.current;
      if (from && Math.hypot(clientX - from.x, clientY - from.y) > MAX_MOVE_PX) cancel();
    },
    onPointerUp: cancel,
    onPointerCancel: cancel,
  };
  /** Whether the click that is being handled ended a long press. */
  return { props, isClickTaken: () => isFired.current };
}
