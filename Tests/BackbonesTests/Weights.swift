import Foundation
import Testing
import Torch

@testable import Backbones

/// Weights and an image made by formulas; `Fixtures/formulas.py` has the same.
enum Made {
  private static let period = 65537

  /// Numbers in [0, 1), float64.
  private static let table: Tensor = {
    var numbers = SplitMix64(seed: 1)
    return Tensor((0..<period).map { _ in Double(numbers.next() >> 40) / Double(1 << 24) })
  }()

  /// FNV-1a.
  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  static func tensor(_ name: String, shape: [Int]) -> StoredTensor {
    let (low, width): (Double, Double) =
      if name.hasSuffix("running_mean") || name.hasSuffix("bias") {
        (-0.2, 0.4)
      } else if name.hasSuffix("running_var") {
        (0.5, 1.0)
      } else if name.contains("pos") {
        (-1.0, 2.0)
      } else if shape.count == 1 {
        (0.75, 0.5)
      } else {
        {
          let bound = (3 / Double(shape.dropFirst().reduce(1, *))).squareRoot()
          return (-bound, 2 * bound)
        }()
      }
    let values = (table * width + low).to(.float32)
    let count = shape.reduce(1, *)
    let first = Int(hash(name) % UInt64(period))
    let rounds = (first + count + period - 1) / period
    let all = Tensor.concatenate(Array(repeating: values, count: rounds))
    return all[first..<(first + count)].reshaped(shape).stored
  }

  /// All weights of a network, its classifier of ten classes among them.
  static func checkpoint(_ kind: BackboneKind, names: WeightNames = .published) -> Checkpoint {
    let network = kind.network(names: names)
    var checkpoint = Checkpoint()
    for unit in network.units {
      for (name, shape) in unit.tensorShapes {
        checkpoint.tensors.append(tensor(name, shape: shape), named: name)
      }
      checkpoint.tensors.append(
        StoredTensor([7], shape: []), named: unit.norm + ".num_batches_tracked")
    }
    for (suffix, shape) in [("weight", [10, network.outputs]), ("bias", [10])] {
      let name = "\(network.classifierName).\(suffix)"
      checkpoint.tensors.append(tensor(name, shape: shape), named: name)
    }
    return checkpoint
  }

  /// Images `[N, size, size, 3]`; the first is the one of the Python script.
  static func pixels(_ count: Int = 1, size: Int) -> Tensor {
    var bytes: [UInt8] = []
    for n in 0..<count {
      for y in 0..<size {
        for x in 0..<size {
          for c in 0..<3 {
            bytes.append(UInt8(truncatingIfNeeded: 3 * x + 5 * y + 40 * c + x * y / 4 + 17 * n))
          }
        }
      }
    }
    return bytes.withUnsafeBytes { Tensor(copying: $0, shape: [count, size, size, 3], dtype: .uint8) }
  }
}

extension Checkpoint {
  /// The same tensors, changed, renamed or left out.
  func mapping(_ transform: (String, StoredTensor) -> (String, StoredTensor)?) -> Checkpoint {
    var result = Checkpoint(metadata: metadata)
    for (name, tensor) in tensors {
      if let (name, tensor) = transform(name, tensor) { result.tensors.append(tensor, named: name) }
    }
    return result
  }
}

/// The largest difference of two tensors in units of the second one's largest element.
func relativeDifference(_ a: Tensor, _ b: Tensor) -> Double {
  (a - b).absolute().reshaped([-1]).amax(dim: 0).item / b.absolute().reshaped([-1]).amax(dim: 0).item
}

/// The cosine of the angles between the rows of two matrices.
func cosines(_ a: Tensor, _ b: Tensor) -> [Float] { (a.normalized() * b.normalized()).sum(dim: 1).floats() }
