import Torch

/// The share of an image's nearest neighbours that belong to each class, counted by their soft labels.
///
/// Images that are the same have one vote together, the mean of their soft labels: fifty copies of a wrong label are no
/// fifty witnesses. The other copies of an image itself are one neighbour more.
struct NeighborPosterior: Sendable {
  /// A quarter of a class of usual size, within these bounds.
  static let neighbors = 10...50

  private let near: Neighborhoods
  private let copies: Copies?

  /// - Parameters:
  ///   - features: `[N, d]`; neighbours are nearest by cosine, and no image is its own.
  ///   - classes: How many classes the images are of.
  ///   - recall: The share of the true neighbours that is to be found.
  ///   - store: Where neighbours may be kept already.
  init(
    _ features: some FeatureSource, classes: Int, recall: Double = NeighborSearch.usualRecall,
    store: NeighborStore? = nil, threads: Int, progress: (@Sendable (Double) -> Void)? = nil
  ) {
    let usual = features.count / (4 * max(1, classes))
    let wished = min(Self.neighbors.upperBound, max(Self.neighbors.lowerBound, usual))
    var search = NeighborSearch(k: max(0, min(wished, features.count - 1)))
    search.recall = recall
    near = search(features, store: store, threads: threads, progress: progress)
    copies = near.firstOfEach.flatMap { Copies(firsts: $0) }
  }

  var quality: NeighborQuality { near.quality }

  /// Neighbors that are looked up of each image.
  var k: Int { near.k }

  /// The images that stand for all that are the same, ascending.
  var distinct: [Int] {
    guard let firsts = near.firstOfEach else { return Array(0..<near.count) }
    return firsts.indices.filter { firsts[$0] == $0 }
  }

  /// What those images say for all that are the same as they: `[distinct, C]`.
  func votes(_ softLabels: Tensor) -> Tensor {
    guard let copies else { return softLabels }
    return copies.told(softLabels).votes.indexSelect(Tensor(distinct))
  }

  /// Logarithms of the shares, with one image of the average kind added, so that none is zero: `[N, C]`.
  func callAsFunction(_ softLabels: Tensor) -> Tensor {
    withoutGradients {
      let average = softLabels.mean(dim: 0)
      let told = copies?.told(softLabels)
      let pieces = stride(from: 0, to: near.count, by: PrincipalComponents.chunk).map { start in
        let rows = start..<min(start + PrincipalComponents.chunk, near.count)
        let (sums, counts) = votes(of: told?.votes ?? softLabels, for: rows)
        if let copies, let told { copies.add(told.others, rows, to: sums, counts) }
        return ((sums + average + 1e-6) / (counts + 1)).log()
      }
      return Tensor.concatenate(pieces)
    }
  }

  /// What the neighbours of some images say, `[n, C]`, and how many they are, `[n, 1]`.
  private func votes(of softLabels: Tensor, for rows: Range<Int>) -> (sums: Tensor, counts: Tensor) {
    let (k, classes) = (near.k, softLabels.size(1))
    let indices = Tensor.empty([rows.count * k], dtype: .int64)
    var missing: [Int] = []
    indices.withUnsafeMutableBytes {
      let places = $0.bindMemory(to: Int.self)
      near.copyNeighbors(of: rows, into: places)
      for place in places.indices where places[place] < 0 {
        missing.append(place)
        places[place] = 0
      }
    }
    let said = softLabels.indexSelect(indices)
    let isThere = Tensor.ones([rows.count * k, 1])
    if !missing.isEmpty {
      said.indexCopyInPlace(dim: 0, index: Tensor(missing), .zeros([missing.count, classes]))
      isThere.indexCopyInPlace(dim: 0, index: Tensor(missing), .zeros([missing.count, 1]))
    }
    return (
      said.reshaped([rows.count, k, classes]).sum(dim: 1), isThere.reshaped([rows.count, k, 1]).sum(dim: 1)
    )
  }
}

/// Images that are the same as others, and what they say together.
private struct Copies: Sendable {
  /// All images that are the same as another, ascending.
  private let rows: [Int]
  /// Their groups' numbers, `[M]`, int64.
  private let groups: Tensor
  /// Per group its first image, `[G]`, int64, and how many images it has, `[G, 1]`.
  private let firsts: Tensor
  private let sizes: Tensor

  /// - Parameter firsts: Of each image the first that is the same.
  init?(firsts: [Int]) {
    var numbers: [Int: Int] = [:]
    var (leaders, sizes) = ([Int](), [Float]())
    for (image, first) in firsts.enumerated() where image != first && numbers[first] == nil {
      numbers[first] = leaders.count
      leaders.append(first)
      sizes.append(0)
    }
    guard !leaders.isEmpty else { return nil }
    var (rows, groups) = ([Int](), [Int]())
    for (image, first) in firsts.enumerated() {
      guard let number = numbers[first] else { continue }
      rows.append(image)
      groups.append(number)
      sizes[number] += 1
    }
    (self.rows, self.groups, self.firsts) = (rows, Tensor(groups), Tensor(leaders))
    self.sizes = Tensor(sizes, shape: [sizes.count, 1])
  }

  /// Soft labels in which a group's first image has those of the group, and for each image of `rows` the mean of its
  /// others: `[N, C]` and `[M, C]`.
  func told(_ softLabels: Tensor) -> (votes: Tensor, others: Tensor) {
    let own = softLabels.indexSelect(Tensor(rows))
    let sums = Tensor.zeros([sizes.size(0), softLabels.size(1)])
    sums.indexAddInPlace(dim: 0, index: groups, own)
    let votes = softLabels.clone()
    votes.indexCopyInPlace(dim: 0, index: firsts, sums / sizes)
    return (votes, (sums.indexSelect(groups) - own) / (sizes.indexSelect(groups) - 1))
  }

  /// Adds the others' vote to those of `images`.
  func add(_ others: Tensor, _ images: Range<Int>, to sums: Tensor, _ counts: Tensor) {
    let (start, end) = (lowerBound(images.lowerBound), lowerBound(images.upperBound))
    guard start < end else { return }
    let places = Tensor(rows[start..<end].map { $0 - images.lowerBound })
    sums.indexAddInPlace(dim: 0, index: places, others[start..<end])
    counts.indexAddInPlace(dim: 0, index: places, .ones([end - start, 1]))
  }

  /// How many of `rows` lie before an image.
  private func lowerBound(_ image: Int) -> Int {
    var (low, high) = (0, rows.count)
    while low < high {
      let middle = (low + high) / 2
      if rows[middle] < image { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
