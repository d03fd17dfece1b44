/** Builds DOM nodes for this page. Text becomes text nodes, never markup. */

export const byId = (id) => document.getElementById(id);

export function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Makes `nodes` the children of `parent`, and moves as few as possible, so that focus and scroll stay. */
export function setChildren(parent, nodes) {
  const kept = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!kept.has(child)) child.remove();
  let at = parent.firstChild;
  for (const wanted of nodes) {
    if (wanted === at) at = at.nextSibling;
    else parent.insertBefore(wanted, at);
  }
}

/**
 * Keeps the end of a scrolling box in view, whatever grows or shrinks, until the reader scrolls up. Only a lower
 * scroll position counts as scrolling up: a box that shrank is also away from its end until it is settled.
 */
export function stickToEnd(box, content) {
  let atEnd = true;
  let before = 0;
  box.addEventListener('scroll', () => {
    const isNear = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    atEnd = isNear || (atEnd && box.scrollTop >= before);
    before = box.scrollTop;
  });
  const settle = () => { if (atEnd) box.scrollTop = box.scrollHeight; };
  const observer = new ResizeObserver(settle);
  observer.observe(box);
  observer.observe(content);
  return () => { atEnd = true; settle(); };
}

const twoDigits = (number) => String(number).padStart(2, '0');

export function formatTime(date, withMillis = false) {
  const text = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
  return withMillis ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text;
}

/** Date and time, since a page may stay open for days. */
export function formatDateTime(date) {
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-');
  return `${day} ${formatTime(date)}`;
}

/** Gives the element a colour by user id, through the style object, which the content security policy allows. */
export function setHue(element, userId) {
  element.style.setProperty('--hue', String((Number(userId) * 137) % 360));
  return element;
}
