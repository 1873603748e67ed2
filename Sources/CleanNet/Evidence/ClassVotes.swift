import Foundation
import Torch

/// Soft labels of many images in little memory: the likeliest few classes of each. The rest is spread over all
/// classes in proportion to their frequency.
struct ClassVotes: Sendable {
  /// E, the number of classes, or of states in an open world.
  let states: Int
  /// Where each image's classes begin, and the end.
  private let starts: [Int32]
  private let classes: [Int32]
  private let shares: [Float]
  /// The mean soft label: `[E]`.
  let average: [Float]

  /// Classes kept of an image.
  static let most = 16
  /// Smaller shares are not kept.
  static let least: Float = 1e-3

  private init(states: Int, starts: [Int32], classes: [Int32], shares: [Float], average: [Float]) {
    self.states = states
    self.starts = starts
    self.classes = classes
    self.shares = shares
    self.average = average
  }

  /// A few classes of each image, by image.
  struct Builder: Sendable {
    fileprivate var ends: [Int32] = []
    fileprivate var classes: [Int32] = []
    fileprivate var shares: [Float] = []

    mutating func append(_ state: Int, _ share: Float) {
      classes.append(Int32(state))
      shares.append(share)
    }

    /// The image is complete.
    mutating func endImage() { ends.append(Int32(classes.count)) }

    fileprivate func entries(_ row: Int) -> Range<Int> {
      (row == 0 ? 0 : Int(ends[row - 1]))..<Int(ends[row])
    }
  }

  /// - Parameter average: The mean soft label, where it is known better.
  init(_ builder: Builder, states: Int, average: [Float]? = nil) {
    self.init(
      states: states, starts: [0] + builder.ends, classes: builder.classes, shares: builder.shares,
      average: average ?? Self.mean(builder.classes, builder.shares, states: states))
  }

  /// The votes of several builders, brought into the order of images.
  ///
  /// - Parameter pieces: The images' numbers, each once in all, and their votes.
  init(_ pieces: [(images: [Int], votes: Builder)], count: Int, states: Int) {
    var starts = [Int32](repeating: 0, count: count + 1)
    for (images, votes) in pieces {
      for (row, image) in images.enumerated() { starts[image + 1] = Int32(votes.entries(row).count) }
    }
    for image in 0..<count { starts[image + 1] += starts[image] }
    var classes = [Int32](repeating: 0, count: Int(starts[count]))
    var shares = [Float](repeating: 0, count: classes.count)
    for (images, votes) in pieces {
      for (row, image) in images.enumerated() {
        var place = Int(starts[image])
        for entry in votes.entries(row) {
          classes[place] = votes.classes[entry]
          shares[place] = votes.shares[entry]
          place += 1
        }
      }
    }
    let average = Self.mean(classes, shares, states: states)
    self.init(states: states, starts: starts, classes: classes, shares: shares, average: average)
  }

  /// Labels, each sure of itself.
  init(labels: [Int], states: Int) {
    var builder = Builder()
    for label in labels {
      builder.append(label, 1)
      builder.endImage()
    }
    self.init(builder, states: states)
  }

  /// The kept shares, normalized: the rest follows from them.
  private static func mean(_ classes: [Int32], _ shares: [Float], states: Int) -> [Float] {
    var sums = [Double](repeating: 0, count: states)
    for (state, share) in zip(classes, shares) { sums[Int(state)] += Double(share) }
    let total = sums.reduce(0, +)
    return sums.map { Float($0 / max(total, 1e-30)) }
  }

  var count: Int { starts.count - 1 }

  /// Calls `body` with each class that is kept of an image and its share; returns what is left.
  @inline(__always)
  func forEach(_ image: Int, _ body: (Int, Float) -> Void) -> Float {
    var rest: Float = 1
    for place in Int(starts[image])..<Int(starts[image + 1]) {
      body(Int(classes[place]), shares[place])
      rest -= shares[place]
    }
    return max(0, rest)
  }

  /// The share of one class.
  func share(_ image: Int, of state: Int) -> Float {
    var found: Float?
    let rest = forEach(image) { if $0 == state { found = $1 } }
    return found ?? rest * average[state]
  }

  /// The shares of some images in some classes: `[images, states]`.
  func shares(_ images: [Int], of states: [Int]) -> Tensor {
    var place = [Int](repeating: -1, count: self.states)
    for (number, state) in states.enumerated() { place[state] = number }
    var values = [Float](repeating: 0, count: images.count * states.count)
    for (row, image) in images.enumerated() {
      let start = row * states.count
      let rest = forEach(image) { if place[$0] >= 0 { values[start + place[$0]] = $1 } }
      for (number, state) in states.enumerated() where values[start + number] == 0 {
        values[start + number] = rest * average[state]
      }
    }
    return Tensor(values, shape: [images.count, states.count])
  }

  /// The same in a world where an image may belong to none of the classes: with that probability for each.
  func opened(_ none: [Float]) -> ClassVotes {
    var builder = Builder()
    for (image, none) in none.enumerated() {
      _ = forEach(image) { builder.append($0, $1 * (1 - none)) }
      builder.append(states, none)
      builder.endImage()
    }
    return ClassVotes(builder, states: states + 1)
  }

  /// The images in another order, or some of them.
  func selecting(_ rows: [Int]) -> ClassVotes {
    var builder = Builder()
    for row in rows {
      _ = forEach(row) { builder.append($0, $1) }
      builder.endImage()
    }
    return ClassVotes(builder, states: states, average: average)
  }

  /// The share of neighbors in each class, with one image of the average kind added, as logarithms: `[n, E]`.
  ///
  /// - Parameters:
  ///   - count: n
  ///   - fill: For one of n images calls its second parameter with each neighbor's place in a table of votes.
  func logShares(
    _ count: Int, _ fill: (_ row: Int, _ add: (ClassVotes, Int) -> Void) -> Void
  ) -> Tensor {
    let result = Tensor.empty([count, states])
    var witnesses = [Float](repeating: 1, count: count)
    result.withUnsafeMutableBytes { bytes in
      let target = bytes.bindMemory(to: Float.self)
      for row in 0..<count {
        let own = UnsafeMutableBufferPointer(rebasing: target[row * states..<(row + 1) * states])
        own.update(repeating: 1e-6)
        var rest: Float = 1
        var number: Float = 1
        fill(row) { votes, image in
          rest += votes.forEach(image) { own[$0] += $1 }
          number += 1
        }
        for state in 0..<states { own[state] += rest * average[state] }
        witnesses[row] = number
      }
    }
    return (result / Tensor(witnesses, shape: [count, 1])).log()
  }

  // MARK: As a file's content

  private static func stored<Value: BitwiseCopyable>(_ values: [Value], _ type: StoredDType) -> StoredTensor {
    StoredTensor(dtype: type, shape: [values.count], bytes: values.withUnsafeBytes { Data($0) })
  }

  /// The table as tensors of a file.
  func stored(_ name: String) -> [(name: String, tensor: StoredTensor)] {
    [
      ("\(name).starts", Self.stored(starts, .int32)), ("\(name).classes", Self.stored(classes, .int32)),
      ("\(name).shares", Tensor(shares).to(.float16).stored),
      ("\(name).average", Self.stored(average, .float32)),
    ]
  }

  /// - Throws: ``ParameterError`` where something is missing or does not fit.
  init(_ file: Checkpoint, named name: String, count: Int) throws(ParameterError) {
    func tensor(_ part: String) throws(ParameterError) -> Tensor {
      guard let found = file["\(name).\(part)"] else { throw .missing("\(name).\(part)") }
      return Tensor(found)
    }
    let starts = try tensor("starts").ints()
    let classes = try tensor("classes").ints()
    let shares = try tensor("shares").floats()
    let average = try tensor("average").floats()
    let isRising = zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 }
    guard starts.count == count + 1, starts.first == 0, starts.last == classes.count, isRising,
      shares.count == classes.count, classes.allSatisfy({ average.indices.contains($0) })
    else { throw .shape("\(name).starts", found: [starts.count], expected: [count + 1]) }
    self.init(
      states: average.count, starts: starts.map { Int32($0) }, classes: classes.map { Int32($0) },
      shares: shares, average: average)
  }
}
