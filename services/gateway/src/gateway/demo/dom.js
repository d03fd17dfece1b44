/** Owns the few ways in which this page builds DOM nodes; text only ever becomes text nodes, never markup. */

export const byId = (id) => document.getElementById(id);

export function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Make `nodes` the children of `parent`, moving as few as possible so that focus and scroll stay. */
export function arrange(parent, nodes) {
  const kept = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!kept.has(child)) child.remove();
  let at = parent.firstChild;
  for (const wanted of nodes) {
    if (wanted === at) at = at.nextSibling;
    else parent.insertBefore(wanted, at);
  }
}

/**
 * Keep the end of a scrolling box in view, whatever grows or shrinks, until the reader scrolls up. Only a lower
 * position counts as that: a box that shrank is away from its end too, before it was looked at.
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

const two = (number) => String(number).padStart(2, '0');

export function clock(date, withMillis = false) {
  const text = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return withMillis ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text;
}

/** A colour that belongs to one user id; set through the style object, which the policy allows. */
export function tint(element, userId) {
  element.style.setProperty('--hue', String((Number(userId) * 137) % 360));
  return element;
}
