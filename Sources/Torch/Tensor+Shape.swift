// Reductions, shapes, choice and products.

extension Tensor {
  // MARK: Reductions

  /// The sum of all elements.
  public func sum() -> Tensor { Tensor.wrap("sum", Engine.functions.sum_all(handle)) }

  /// The mean of all elements.
  public func mean() -> Tensor { Tensor.wrap("mean", Engine.functions.mean_all(handle)) }

  /// The sum along `dim`.
  public func sum(dim: Int, keepDim: Bool = false) -> Tensor {
    Tensor.wrap("sum", Engine.functions.sum(handle, Int64(dim), keepDim))
  }

  /// The mean along `dim`.
  public func mean(dim: Int, keepDim: Bool = false) -> Tensor {
    Tensor.wrap("mean", Engine.functions.mean(handle, Int64(dim), keepDim))
  }

  /// The largest element along `dim`.
  public func amax(dim: Int, keepDim: Bool = false) -> Tensor {
    Tensor.wrap("amax", Engine.functions.amax(handle, Int64(dim), keepDim))
  }

  /// The smallest element along `dim`.
  public func amin(dim: Int, keepDim: Bool = false) -> Tensor {
    Tensor.wrap("amin", Engine.functions.amin(handle, Int64(dim), keepDim))
  }

  /// Where the largest element along `dim` lies.
  public func argmax(dim: Int, keepDim: Bool = false) -> Tensor {
    Tensor.wrap("argmax", Engine.functions.argmax(handle, Int64(dim), keepDim))
  }

  /// Where the smallest element along `dim` lies.
  public func argmin(dim: Int, keepDim: Bool = false) -> Tensor {
    Tensor.wrap("argmin", Engine.functions.argmin(handle, Int64(dim), keepDim))
  }

  /// The Euclidean norm along `dim`.
  public func norm(dim: Int, keepDim: Bool = false) -> Tensor {
    Tensor.wrap("norm", Engine.functions.norm(handle, Int64(dim), keepDim))
  }

  /// log Σ exp(x) along `dim`.
  public func logSumExp(dim: Int, keepDim: Bool = false) -> Tensor {
    Tensor.wrap("logSumExp", Engine.functions.logsumexp(handle, Int64(dim), keepDim))
  }

  /// Whether any element along `dim` holds.
  public func any(dim: Int, keepDim: Bool = false) -> Tensor {
    Tensor.wrap("any", Engine.functions.any(handle, Int64(dim), keepDim))
  }

  /// exp(x) / Σ exp(x) along `dim`.
  public func softmax(dim: Int) -> Tensor {
    Tensor.wrap("softmax", Engine.functions.softmax(handle, Int64(dim)))
  }

  /// The logarithm of ``softmax(dim:)``, exact where that underflows.
  public func logSoftmax(dim: Int) -> Tensor {
    Tensor.wrap("logSoftmax", Engine.functions.log_softmax(handle, Int64(dim)))
  }

  /// Sums of all elements so far along `dim`.
  public func cumulativeSum(dim: Int) -> Tensor {
    Tensor.wrap("cumulativeSum", Engine.functions.cumsum(handle, Int64(dim)))
  }

  /// A further dimension of size 1 at `dim`.
  public func unsqueezed(dim: Int) -> Tensor {
    Tensor.wrap("unsqueezed", Engine.functions.unsqueeze(handle, Int64(dim)))
  }

  /// Without the dimension `dim`, if its size is 1.
  public func squeezed(dim: Int) -> Tensor {
    Tensor.wrap("squeezed", Engine.functions.squeeze(handle, Int64(dim)))
  }

  /// How often each integer from 0 to `minimumCount` − 1 (or the largest) occurs, each time counted by `weights`.
  public func binCounts(weights: Tensor? = nil, minimumCount: Int = 0) -> Tensor {
    Tensor.wrap("binCounts", Engine.functions.bincount(handle, weights?.handle, Int64(minimumCount)))
  }

  /// The `k` largest (or smallest) elements along `dim` in order, and where they lie.
  public func topK(_ k: Int, dim: Int = -1, largest: Bool = true) -> (values: Tensor, indices: Tensor) {
    let (values, indices) = Tensor.pair("topK") {
      Engine.functions.topk(handle, Int64(k), Int64(dim), largest, &$0, &$1)
    }
    return (values, indices)
  }

  /// The elements in order along `dim` and where they lay; equal ones keep their order.
  public func sorted(dim: Int = -1, descending: Bool = false) -> (values: Tensor, indices: Tensor) {
    let (values, indices) = Tensor.pair("sorted") {
      Engine.functions.sort(handle, Int64(dim), descending, &$0, &$1)
    }
    return (values, indices)
  }

  // MARK: Shapes and choice

  /// The same elements in another shape; one size may be −1.
  public func reshaped(_ shape: [Int]) -> Tensor {
    let sizes = shape.map(Int64.init)
    return Tensor.wrap("reshaped", Engine.functions.reshape(handle, sizes, sizes.count))
  }

  /// Repeated along dimensions of size 1, without copying; −1 keeps a size.
  public func expanded(_ shape: [Int]) -> Tensor {
    let sizes = shape.map(Int64.init)
    return Tensor.wrap("expanded", Engine.functions.expand(handle, sizes, sizes.count))
  }

  /// The dimensions in the given order.
  public func permuted(_ order: [Int]) -> Tensor {
    let sizes = order.map(Int64.init)
    return Tensor.wrap("permuted", Engine.functions.permute(handle, sizes, sizes.count))
  }

  /// Two dimensions exchanged; the last two by default.
  public func transposed(_ a: Int = -2, _ b: Int = -1) -> Tensor {
    Tensor.wrap("transposed", Engine.functions.transpose(handle, Int64(a), Int64(b)))
  }

  /// A view of `count` rows along `dim` from `start` on.
  public func narrow(dim: Int = 0, start: Int, count: Int) -> Tensor {
    Tensor.wrap("narrow", Engine.functions.narrow(handle, Int64(dim), Int64(start), Int64(count)))
  }

  /// A view of the rows `range`.
  public subscript(range: Range<Int>) -> Tensor { narrow(start: range.lowerBound, count: range.count) }

  /// A view of one row.
  public subscript(index: Int) -> Tensor { select(dim: 0, index: index) }

  /// A view of one slice along `dim`.
  public func select(dim: Int, index: Int) -> Tensor {
    Tensor.wrap("select", Engine.functions.select(handle, Int64(dim), Int64(index)))
  }

  /// The slices number `index` (int64) along `dim`, copied.
  public func indexSelect(dim: Int = 0, _ index: Tensor) -> Tensor {
    Tensor.wrap("indexSelect", Engine.functions.index_select(handle, Int64(dim), index.handle))
  }

  /// The elements that `index`, of the result's shape, names along `dim`.
  public func gather(dim: Int, _ index: Tensor) -> Tensor {
    Tensor.wrap("gather", Engine.functions.gather(handle, Int64(dim), index.handle))
  }

  /// `self` with the elements that `index` names along `dim` replaced by `source`.
  public func scatter(dim: Int, _ index: Tensor, _ source: Tensor) -> Tensor {
    Tensor.wrap("scatter", Engine.functions.scatter(handle, Int64(dim), index.handle, source.handle))
  }

  /// Class indices `[…]` as rows of zeros with a single one: `[…, classes]`, int64.
  public func oneHot(classes: Int) -> Tensor {
    Tensor.wrap("oneHot", Engine.functions.one_hot(handle, Int64(classes)))
  }

  /// Where the elements are not zero, `[n, rank]`.
  public func nonZero() -> Tensor { Tensor.wrap("nonZero", Engine.functions.nonzero(handle)) }

  /// The tensors one after the other along `dim`.
  public static func concatenate(_ tensors: [Tensor], dim: Int = 0) -> Tensor {
    withExtendedLifetime(tensors) {
      wrap("concatenate", Engine.functions.concatenate(tensors.map(\.handle), tensors.count, Int64(dim)))
    }
  }

  /// The tensors as slices of a new dimension `dim`.
  public static func stack(_ tensors: [Tensor], dim: Int = 0) -> Tensor {
    withExtendedLifetime(tensors) {
      wrap("stack", Engine.functions.stack(tensors.map(\.handle), tensors.count, Int64(dim)))
    }
  }

  /// The same elements in C order; `self` if they are.
  public func contiguous() -> Tensor { Tensor.wrap("contiguous", Engine.functions.contiguous(handle)) }

  /// A batch of images `[N, C, H, W]` stored pixel by pixel, which convolutions on CPUs prefer.
  package func channelsLast() -> Tensor {
    Tensor.wrap("channelsLast", Engine.functions.channels_last(handle))
  }

  /// A copy.
  public func clone() -> Tensor { Tensor.wrap("clone", Engine.functions.clone(handle)) }

  /// Converted to `dtype`; `self` if it is.
  public func to(_ dtype: DType) -> Tensor { Tensor.wrap("to", Engine.functions.to(handle, dtype.rawValue)) }

  // MARK: Linear algebra

  /// The matrix product; leading dimensions are batches.
  public func matmul(_ other: Tensor) -> Tensor {
    Tensor.wrap("matmul", Engine.functions.matmul(handle, other.handle))
  }

  /// The matrix product of float32 rows, `[n, I]`, with a matrix, `[I, O]`: each row's is the same to the bit, but for rare
  /// cases, whatever rows are beside it.
  ///
  /// Products of float32 end in other bits in batches of another size. These are computed in float64, whose last bits
  /// are lost when they are rounded.
  package func batchInvariantMatmul(_ other: Tensor) -> Tensor {
    to(.float64).matmul(other.to(.float64)).to(.float32)
  }

  /// `self · weightᵀ + bias`: `[…, I]`, `[O, I]`, `[O]` → `[…, O]`.
  public func linear(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    Tensor.wrap("linear", Engine.functions.linear(handle, weight.handle, bias?.handle))
  }

  /// The reduced QR decomposition.
  public func qr() -> (q: Tensor, r: Tensor) {
    let (q, r) = Tensor.pair("qr") { Engine.functions.qr(handle, &$0, &$1) }
    return (q, r)
  }

  /// Eigenvalues, ascending, and eigenvectors (columns) of a symmetric matrix.
  public func symmetricEigen() -> (values: Tensor, vectors: Tensor) {
    let (values, vectors) = Tensor.pair("eigh") { Engine.functions.eigh(handle, &$0, &$1) }
    return (values, vectors)
  }

  /// The solution X of `self · X = other`.
  public func solve(_ other: Tensor) -> Tensor {
    Tensor.wrap("solve", Engine.functions.solve(handle, other.handle))
  }

  // MARK: Networks

  /// A 2-d convolution of `[N, C, H, W]` with `weight` `[O, C / groups, h, w]`; `padding` zeros on every side.
  package func conv2d(
    _ weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, groups: Int = 1
  ) -> Tensor {
    Tensor.wrap(
      "conv2d",
      Engine.functions.conv2d(
        handle, weight.handle, bias?.handle, Int64(stride), Int64(padding), Int64(groups)))
  }

  /// Batch normalization of `[N, C, H, W]`: `(x − mean) / √(variance + epsilon) · weight + bias`, each of those `[C]`.
  ///
  /// In training the batch's own mean and variance are used, and the given ones move towards them by `momentum`.
  package func batchNorm(
    weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, training: Bool = false,
    momentum: Double = 0.1, epsilon: Double = 1e-5
  ) -> Tensor {
    Tensor.wrap(
      "batchNorm",
      Engine.functions.batch_norm(
        handle, weight.handle, bias.handle, mean.handle, variance.handle, training, momentum, epsilon))
  }

  /// A depthwise convolution of `[N, C, H, W]`, float32 or bfloat16, with a float32 filter `weight` `[C, 1, k, k]`, k 3
  /// or 5, and zeros around the image. There are `before` on the left and at the top, `after` on the right and at the
  /// bottom.
  ///
  /// Made for training: libtorch 1.13's own has no fast way back in bfloat16. Sums are float32.
  package func depthwise(_ weight: Tensor, stride: Int = 1, before: Int, after: Int) -> Tensor {
    Tensor.wrap(
      "depthwise",
      Engine.functions.depthwise(handle, weight.handle, Int64(stride), Int64(before), Int64(after)))
  }

  /// `activation(batchNorm(self) + shortcut)` of `[N, C, H, W]`, float32 or bfloat16, in one step of the graph: several
  /// times faster than the three apart, with less memory. The norm's numbers are float32, as in ``batchNorm``; the result
  /// lies pixel by pixel (``channelsLast()``).
  ///
  /// Where the result was rounded to 6, the gradient of ReLU6 is 0.
  package func normalized(
    adding shortcut: Tensor? = nil, activation: NormActivation, weight: Tensor, bias: Tensor, mean: Tensor,
    variance: Tensor, training: Bool, momentum: Double = 0.1, epsilon: Double = 1e-5
  ) -> Tensor {
    Tensor.wrap(
      "normalized",
      Engine.functions.norm_activation(
        handle, shortcut?.handle, weight.handle, bias.handle, mean.handle, variance.handle, training,
        momentum,
        epsilon, activation.rawValue))
  }

  /// The largest value of each window.
  package func maxPool2d(kernel: Int, stride: Int, padding: Int = 0) -> Tensor {
    Tensor.wrap(
      "maxPool2d", Engine.functions.max_pool2d(handle, Int64(kernel), Int64(stride), Int64(padding)))
  }

  /// Zeros added around the last two dimensions.
  package func padded2d(left: Int, right: Int, top: Int, bottom: Int) -> Tensor {
    Tensor.wrap("pad2d", Engine.functions.pad2d(handle, Int64(left), Int64(right), Int64(top), Int64(bottom)))
  }

  /// The rows divided by their Euclidean norm (at least `epsilon`).
  public func normalized(dim: Int = -1, epsilon: Double = 1e-8) -> Tensor {
    self / norm(dim: dim, keepDim: true).clamped(min: epsilon)
  }
}

/// The activation after a batch norm.
package enum NormActivation: Int64, Sendable {
  case none = 0
  case relu = 1
  case relu6 = 2
}
