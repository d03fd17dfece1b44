/** The emoji to choose from, as a grid in which the arrow keys move. One of them is in the order of the tab key. */

import { type KeyboardEvent, type RefObject, useState } from 'react';
import { useT } from '../i18n/language.tsx';

const COLUMNS = 8;

export interface GridEmoji {
  emoji: string;
  name: string;
}

export interface EmojiGridProps {
  grid: RefObject<HTMLDivElement | null>;
  id: string;
  label: string;
  cells: readonly GridEmoji[];
  onChoose: (emoji: string) => void;
  /** Gets the name of the emoji that the user is at. */
  onName: (name: string) => void;
  /** Called for the up key in the first row. */
  onLeave: () => void;
}

export function EmojiGrid({ grid, id, label, cells, onChoose, onName, onLeave }: EmojiGridProps) {
  const t = useT();
  const [current, setCurrent] = useState(0);
  const handleKey = (event: KeyboardEvent) => {
    const to = nextCell(event.key, current, cells.length);
    if (to === null) return;
    event.preventDefault();
    if (to < 0) return onLeave();
    grid.current?.querySelectorAll('button')[to]?.focus();
  };
  if (cells.length === 0)
    return (
      <div className="emoji-grid" id={id}>
        <p className="quiet">{t('emoji.results', { count: 0 })}</p>
      </div>
    );
  // A few emoji are no wider than many.
  const width = `${(Math.min(cells.length, COLUMNS) / COLUMNS) * 100}%`;
  return (
    <div className="emoji-grid" id={id} ref={grid}>
      {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a table that is walked through is a grid. */}
      <table role="grid" aria-label={label} style={{ width }} onKeyDown={handleKey}>
        <tbody>
          {rowsOf(cells).map((row, rowIndex) => (
            <tr key={row[0]?.emoji}>
              {row.map((cell, column) => {
                const index = rowIndex * COLUMNS + column;
                return (
                  <td key={cell.emoji}>
                    <button
                      type="button"
                      className="emoji-button"
                      tabIndex={index === Math.min(current, cells.length - 1) ? 0 : -1}
                      aria-label={cell.name}
                      onClick={() => onChoose(cell.emoji)}
                      onFocus={() => {
                        setCurrent(index);
                        onName(cell.name);
                      }}
                      onPointerEnter={() => onName(cell.name)}
                    >
                      {cell.emoji}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function focusFirstCell(grid: HTMLElement | null): void {
  grid?.querySelector('button')?.focus();
}

function rowsOf<T>(cells: readonly T[]): T[][] {
  const count = Math.ceil(cells.length / COLUMNS);
  return Array.from({ length: count }, (_, row) => cells.slice(row * COLUMNS, (row + 1) * COLUMNS));
}

/** Returns null for keys that don't move, and -1 above the first row. */
function nextCell(key: string, at: number, count: number): number | null {
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -COLUMNS,
    ArrowDown: COLUMNS,
    PageUp: -COLUMNS * 5,
    PageDown: COLUMNS * 5,
  };
  if (key === 'Home') return at - (at % COLUMNS);
  if (key === 'End') return Math.min(count - 1, at - (at % COLUMNS) + COLUMNS - 1);
  const step = steps[key];
  if (step === undefined) return null;
  if (key === 'ArrowUp' && at < COLUMNS) return -1;
  return Math.min(count - 1, Math.max(0, at + step));
}
