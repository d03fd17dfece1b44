/**
 * Keeps the page working when others change it: translators, and extensions that wrap, move or remove
 * elements.
 *
 * React throws when an element that it removes, or inserts before, is no longer where React put it. The whole
 * page would be lost. With this guard such a call does what was intended: the element is removed, or inserted
 * at the nearest place.
 *
 * This alone is not enough for text. A translator replaces text nodes by `<font>` elements. React would go on
 * writing into the removed node, and the old words would stay. So every text of the client is the only child
 * of an element: React then sets that element's text as a whole. A test finds any text that is not.
 */

export function guardDom(): void {
  const prototype = Node.prototype;
  const { removeChild, insertBefore } = prototype;

  prototype.removeChild = function remove<T extends Node>(this: Node, child: T): T {
    if (child.parentNode === this) return removeChild.call(this, child) as T;
    if (child.parentNode) removeChild.call(child.parentNode, child);
    return child;
  };

  prototype.insertBefore = function insert<T extends Node>(this: Node, node: T, before: Node | null): T {
    return insertBefore.call(this, node, before && childOf(this, before)) as T;
  };
}

/**
 * Returns the child of `parent` that is or contains `node`. Returns null, which means the end, if none does.
 */
function childOf(parent: Node, node: Node): Node | null {
  let child: Node | null = node;
  while (child && child.parentNode !== parent) child = child.parentNode;
  return child;
}
