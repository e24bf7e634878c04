// Ordered numbers that know how many of them are below a level, and their sum. To add, remove or look up one
// takes as many steps as the logarithm of their count. It is a treap. A node's priority is a hash of its
// position, so that runs can be repeated.
// Nodes are positions in lists of numbers, which take a third of the memory of objects.

/** The position of a node; 0: there is none. */
type Tree = number;

/** Nodes for which there is room at first. */
const FIRST_ROOM = 8;

/** How much more room there is each time. */
const GROWTH = 1.5;

export class SumTree<Item = null> {
  #root: Tree = 0;
  #keys = new Float64Array(FIRST_ROOM);
  /** They distinguish equal keys. */
  #ties = new Float64Array(FIRST_ROOM);
  #sums = new Float64Array(FIRST_ROOM);
  #counts = new Int32Array(FIRST_ROOM);
  #left = new Int32Array(FIRST_ROOM);
  #right = new Int32Array(FIRST_ROOM);
  /** Empty in a tree of numbers alone. */
  #items: (Item | undefined)[] = [];
  /** Positions from here on were never used. */
  #end = 1;
  /** The first position that is free again; `#left` has the next. */
  #free: Tree = 0;
  /** Visited nodes so far, for tests that count them. */
  steps = 0;

  get count(): number {
    return this.#counts[this.#root] ?? 0;
  }

  /** The sum of all keys. */
  get sum(): number {
    return this.#sums[this.#root] ?? 0;
  }

  add(key: number, tie: number, item: Item): void {
    const node = this.#place();
    this.#keys[node] = key;
    this.#ties[node] = tie;
    this.#left[node] = 0;
    this.#right[node] = 0;
    if (item !== null) this.#items[node] = item;
    this.#summed(node);
    const [before, after] = this.#split(this.#root, key, tie);
    this.#root = this.#merge(this.#merge(before, node), after);
  }

  /** The key must be in the tree. */
  remove(key: number, tie: number): void {
    const [before, rest] = this.#split(this.#root, key, tie);
    const [removed, after] = this.#split(rest, key, tie + 1);
    this.#root = this.#merge(before, after);
    if (this.#root === 0) return this.#clear();
    if (removed < this.#items.length) this.#items[removed] = undefined;
    this.#left[removed] = this.#free;
    this.#free = removed;
  }

  /** Gives back the memory of many. */
  #clear(): void {
    this.#resize(FIRST_ROOM);
    this.#items = [];
    this.#end = 1;
    this.#free = 0;
  }

  #place(): Tree {
    const free = this.#free;
    if (free !== 0) {
      this.#free = this.#leftOf(free);
      return free;
    }
    if (this.#end === this.#keys.length) this.#resize(Math.ceil(this.#end * GROWTH));
    this.#end += 1;
    return this.#end - 1;
  }

  #resize(room: number): void {
    if (room === this.#keys.length) return;
    const [floats, whole] = [() => new Float64Array(room), () => new Int32Array(room)];
    this.#keys = copied(this.#keys, floats());
    this.#ties = copied(this.#ties, floats());
    this.#sums = copied(this.#sums, floats());
    this.#counts = copied(this.#counts, whole());
    this.#left = copied(this.#left, whole());
    this.#right = copied(this.#right, whole());
  }

  #keyOf(node: Tree): number {
    return this.#keys[node] ?? 0;
  }

  #leftOf(node: Tree): Tree {
    return this.#left[node] ?? 0;
  }

  #rightOf(node: Tree): Tree {
    return this.#right[node] ?? 0;
  }

  /** The sum of `level - key` over all keys below the level. */
  lackOf(level: number): number {
    let count = 0;
    let sum = 0;
    let node = this.#root;
    while (node !== 0) {
      this.steps += 1;
      if (this.#keyOf(node) >= level) {
        node = this.#leftOf(node);
        continue;
      }
      count += 1 + this.#countOf(this.#leftOf(node));
      sum += this.#keyOf(node) + (this.#sums[this.#leftOf(node)] ?? 0);
      node = this.#rightOf(node);
    }
    return count === 0 ? 0 : level * count - sum;
  }

  /** The number of keys above a level. */
  countAbove(level: number): number {
    let count = 0;
    let node = this.#root;
    while (node !== 0) {
      this.steps += 1;
      if (this.#keyOf(node) <= level) {
        node = this.#rightOf(node);
        continue;
      }
      count += 1 + this.#countOf(this.#rightOf(node));
      node = this.#leftOf(node);
    }
    return count;
  }

  /** `Infinity` when the tree is empty. */
  get least(): number {
    return this.#root === 0 ? Infinity : this.#keyOf(this.#outermost((node) => this.#leftOf(node)));
  }

  /** The item of the least key; null when the tree is empty. */
  get first(): Item | null {
    return this.#items[this.#outermost((node) => this.#leftOf(node))] ?? null;
  }

  /** 0 when the tree is empty. */
  get most(): number {
    return this.#root === 0 ? 0 : this.#keyOf(this.#outermost((node) => this.#rightOf(node)));
  }

  #outermost(next: (node: Tree) => Tree): Tree {
    let node = this.#root;
    for (let beyond = node; beyond !== 0; beyond = next(node)) node = beyond;
    return node;
  }

  ascending(): Generator<readonly [number, Item]> {
    return this.#walk(this.#root, false);
  }

  descending(): Generator<readonly [number, Item]> {
    return this.#walk(this.#root, true);
  }

  *#walk(node: Tree, isDown: boolean): Generator<readonly [number, Item]> {
    if (node === 0) return;
    this.steps += 1;
    const [left, right] = [this.#leftOf(node), this.#rightOf(node)];
    yield* this.#walk(isDown ? right : left, isDown);
    yield [this.#keyOf(node), this.#items[node] as Item];
    yield* this.#walk(isDown ? left : right, isDown);
  }

  /** The nodes before (key, tie), and the others. */
  #split(node: Tree, key: number, tie: number): [Tree, Tree] {
    if (node === 0) return [0, 0];
    this.steps += 1;
    const own = this.#keyOf(node);
    if (own < key || (own === key && (this.#ties[node] ?? 0) < tie)) {
      const [before, after] = this.#split(this.#rightOf(node), key, tie);
      this.#right[node] = before;
      return [this.#summed(node), after];
    }
    const [before, after] = this.#split(this.#leftOf(node), key, tie);
    this.#left[node] = after;
    return [before, this.#summed(node)];
  }

  #merge(before: Tree, after: Tree): Tree {
    if (before === 0) return after;
    if (after === 0) return before;
    this.steps += 1;
    if (priorityOf(before) > priorityOf(after)) {
      this.#right[before] = this.#merge(this.#rightOf(before), after);
      return this.#summed(before);
    }
    this.#left[after] = this.#merge(before, this.#leftOf(after));
    return this.#summed(after);
  }

  #countOf(node: Tree): number {
    return this.#counts[node] ?? 0;
  }

  #summed(node: Tree): Tree {
    const [left, right] = [this.#leftOf(node), this.#rightOf(node)];
    this.#counts[node] = 1 + this.#countOf(left) + this.#countOf(right);
    this.#sums[node] = this.#keyOf(node) + (this.#sums[left] ?? 0) + (this.#sums[right] ?? 0);
    return node;
  }
}

/** Mixes all bits, as MurmurHash3 does at its end. No two positions have the same priority. */
function priorityOf(node: Tree): number {
  let mixed = node;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85_eb_ca_6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2_b2_ae_35);
  return mixed ^ (mixed >>> 16);
}

function copied<Numbers extends Float64Array | Int32Array>(from: Numbers, into: Numbers): Numbers {
  into.set(from.subarray(0, into.length));
  return into;
}
