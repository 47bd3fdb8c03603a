/** A storage of a torch file: the elements that one or more tensors look at. */
export class StorageView {
  constructor(
    /** Of the storage that the file holds. */
    readonly key: string,
    /** Key of `elementTypes`. */
    readonly type: string,
    /** Elements before it in the storage that the file holds; not 0 only in files of old versions. */
    readonly offset: number,
    readonly elements: number,
  ) {}
}

/** A tensor of a torch file: element [i, j, …] is element offset + i·strides[0] + j·strides[1] + … of its storage. */
export class TensorView {
  constructor(
    readonly storage: StorageView,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}

  get elements(): number {
    return this.shape.reduce((product, dim) => product * dim, 1);
  }

  /** One past the last element that it looks at, within its storage. */
  get end(): number {
    if (this.elements === 0) return this.offset;
    return this.shape.reduce((end, dim, axis) => end + (dim - 1) * this.strides[axis]!, this.offset + 1);
  }
}
