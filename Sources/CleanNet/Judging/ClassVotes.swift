import Foundation
import Torch

/// Soft labels of many images in little memory: the likeliest few classes of each. What is left is spread over all
/// classes as they are frequent.
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
  private static let most = 16
  /// Smaller shares are not kept.
  private static let least: Float = 1e-3

  private init(states: Int, starts: [Int32], classes: [Int32], shares: [Float], average: [Float]) {
    self.states = states
    self.starts = starts
    self.classes = classes
    self.shares = shares
    self.average = average
  }

  /// - Parameters:
  ///   - softLabels: `[N, E]`
  ///   - average: Their mean, counted as neighbors count it.
  init(_ softLabels: Tensor, average: [Float]) {
    let states = softLabels.size(1)
    let most = min(Self.most, states)
    var starts: [Int32] = [0]
    var classes: [Int32] = []
    var shares: [Float] = []
    for start in stride(from: 0, to: softLabels.size(0), by: PrincipalComponents.chunk) {
      let end = min(start + PrincipalComponents.chunk, softLabels.size(0))
      let top = withoutGradients { softLabels[start..<end].topK(most) }
      let values = top.values.floats()
      let indices = top.indices.ints()
      for row in 0..<(end - start) {
        for place in row * most..<(row + 1) * most where values[place] >= Self.least {
          classes.append(Int32(indices[place]))
          shares.append(values[place])
        }
        starts.append(Int32(classes.count))
      }
    }
    self.init(states: states, starts: starts, classes: classes, shares: shares, average: average)
  }

  /// The images in another order, or some of them.
  func selecting(_ rows: [Int]) -> ClassVotes {
    var starts: [Int32] = [0]
    var classes: [Int32] = []
    var shares: [Float] = []
    for row in rows {
      let range = Int(self.starts[row])..<Int(self.starts[row + 1])
      classes += self.classes[range]
      shares += self.shares[range]
      starts.append(Int32(classes.count))
    }
    return ClassVotes(states: states, starts: starts, classes: classes, shares: shares, average: average)
  }

  /// Logarithms of the shares of neighbors in each class, with one image of the average kind added: `[n, E]`. The same
  /// formula as ``NeighborPosterior``'s.
  ///
  /// - Parameter neighbors: Images of the table for each of n images.
  func logShares(_ neighbors: [ArraySlice<Int32>]) -> Tensor {
    let result = Tensor.empty([neighbors.count, states])
    result.withUnsafeMutableBytes { bytes in
      let target = bytes.bindMemory(to: Float.self)
      for (row, near) in neighbors.enumerated() {
        let own = UnsafeMutableBufferPointer(rebasing: target[row * states..<(row + 1) * states])
        own.update(repeating: 0)
        var rest: Float = 0
        for image in near {
          var told: Float = 0
          for place in Int(starts[Int(image)])..<Int(starts[Int(image) + 1]) {
            own[Int(classes[place])] += shares[place]
            told += shares[place]
          }
          rest += max(0, 1 - told)
        }
        let count = Float(near.count + 1)
        for state in 0..<states {
          own[state] = Foundation.log((own[state] + (1 + rest) * average[state] + 1e-6) / count)
        }
      }
    }
    return result
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
