// Ordered numbers that know how many of them are below a level, and their sum. To add, remove or look up one
// takes as many steps as the logarithm of their count. It is a treap with priorities from a fixed sequence,
// so that runs can be repeated.

interface Node<Item> {
  readonly key: number;
  /** Distinguishes equal keys. */
  readonly tie: number;
  readonly item: Item;
  readonly priority: number;
  left: Node<Item> | null;
  right: Node<Item> | null;
  count: number;
  sum: number;
}

type Tree<Item> = Node<Item> | null;

export class SumTree<Item = null> {
  #root: Tree<Item> = null;
  #drawn = 2_463_534_242;
  /** Visited nodes so far, for tests that count them. */
  steps = 0;

  get count(): number {
    return this.#root?.count ?? 0;
  }

  /** The sum of all keys. */
  get sum(): number {
    return this.#root?.sum ?? 0;
  }

  add(key: number, tie: number, item: Item): void {
    const priority = this.#draw();
    const node = { key, tie, item, priority, left: null, right: null, count: 1, sum: key };
    const [before, after] = this.#split(this.#root, key, tie);
    this.#root = this.#merge(this.#merge(before, node), after);
  }

  /** The key must be in the tree. */
  remove(key: number, tie: number): void {
    const [before, rest] = this.#split(this.#root, key, tie);
    const [, after] = this.#split(rest, key, tie + 1);
    this.#root = this.#merge(before, after);
  }

  /** The sum of `level - key` over all keys below the level. */
  lackOf(level: number): number {
    let count = 0;
    let sum = 0;
    let node = this.#root;
    while (node !== null) {
      this.steps += 1;
      if (node.key >= level) {
        node = node.left;
        continue;
      }
      count += 1 + (node.left?.count ?? 0);
      sum += node.key + (node.left?.sum ?? 0);
      node = node.right;
    }
    return count === 0 ? 0 : level * count - sum;
  }

  /** The number of keys above a level. */
  countAbove(level: number): number {
    let count = 0;
    let node = this.#root;
    while (node !== null) {
      this.steps += 1;
      if (node.key <= level) {
        node = node.right;
        continue;
      }
      count += 1 + (node.right?.count ?? 0);
      node = node.left;
    }
    return count;
  }

  /** `Infinity` when the tree is empty. */
  get least(): number {
    let node = this.#root;
    while (node?.left != null) node = node.left;
    return node?.key ?? Infinity;
  }

  /** The item of the least key; null when the tree is empty. */
  get first(): Item | null {
    let node = this.#root;
    while (node?.left != null) node = node.left;
    return node?.item ?? null;
  }

  /** 0 when the tree is empty. */
  get most(): number {
    let node = this.#root;
    while (node?.right != null) node = node.right;
    return node?.key ?? 0;
  }

  ascending(): Generator<readonly [number, Item]> {
    return this.#walk(this.#root, false);
  }

  descending(): Generator<readonly [number, Item]> {
    return this.#walk(this.#root, true);
  }

  *#walk(node: Tree<Item>, isDown: boolean): Generator<readonly [number, Item]> {
    if (node === null) return;
    this.steps += 1;
    yield* this.#walk(isDown ? node.right : node.left, isDown);
    yield [node.key, node.item];
    yield* this.#walk(isDown ? node.left : node.right, isDown);
  }

  /** The nodes before (key, tie), and the others. */
  #split(node: Tree<Item>, key: number, tie: number): [Tree<Item>, Tree<Item>] {
    if (node === null) return [null, null];
    this.steps += 1;
    if (node.key < key || (node.key === key && node.tie < tie)) {
      const [before, after] = this.#split(node.right, key, tie);
      node.right = before;
      return [summed(node), after];
    }
    const [before, after] = this.#split(node.left, key, tie);
    node.left = after;
    return [before, summed(node)];
  }

  #merge(before: Tree<Item>, after: Tree<Item>): Tree<Item> {
    if (before === null) return after;
    if (after === null) return before;
    this.steps += 1;
    if (before.priority > after.priority) {
      before.right = this.#merge(before.right, after);
      return summed(before);
    }
    after.left = this.#merge(before, after.left);
    return summed(after);
  }

  /** Xorshift, by Marsaglia. */
  #draw(): number {
    let drawn = this.#drawn;
    drawn ^= drawn << 13;
    drawn ^= drawn >>> 17;
    drawn ^= drawn << 5;
    this.#drawn = drawn;
    return drawn;
  }
}

function summed<Item>(node: Node<Item>): Node<Item> {
  node.count = 1 + (node.left?.count ?? 0) + (node.right?.count ?? 0);
  node.sum = node.key + (node.left?.sum ?? 0) + (node.right?.sum ?? 0);
  return node;
}
