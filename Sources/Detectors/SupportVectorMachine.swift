import CLibSVM
import Torch

/// A kernel of support vector machines.
package enum Kernel: Sendable, Hashable {
  /// `x · z`
  case linear
  /// `exp(−γ ‖x − z‖²)`, γ = 1 / (D · variance of all elements of the examples), scikit-learn's "scale".
  case rbf

  /// A kernel with its parameter fixed on examples `[n, D]`: `[m, D]`, `[n, D]` → `[m, n]`.
  func fitted(_ examples: Tensor) -> @Sendable (Tensor, Tensor) -> Tensor {
    switch self {
    case .linear: return { $0.matmul($1.transposed()) }
    case .rbf:
      let mean = examples.mean().item
      let variance = (examples - mean).squared().mean().item
      let gamma = 1 / max(1e-12, Double(examples.size(1)) * variance)
      return { a, b in
        let distances =
          a.squared().sum(dim: 1, keepDim: true) + b.squared().sum(dim: 1) - a.matmul(b.transposed()) * 2
        return (distances.clamped(min: 0) * -gamma).exp()
      }
    }
  }
}

/// A support vector machine, solved by LIBSVM (Chang & Lin 2011) on a kernel matrix that Torch computes. With hundreds
/// of examples in a thousand dimensions that is faster than any solver on the vectors, and exact.
struct SupportVectorMachine: Sendable {
  enum Problem: Sendable, Hashable {
    /// C-SVC; examples of the rarer answer weigh more, so that both weigh alike in sum.
    case classification(c: Double, balanced: Bool)
    /// The support of a distribution (Schölkopf et al. 2001); ν bounds the share of outliers from above.
    case oneClass(nu: Double)
  }

  /// Per example its factor in the decision function, `[n, 1]`.
  let coefficients: Tensor
  let rho: Double

  /// - Parameters:
  ///   - gram: The kernel of the examples with each other, `[n, n]`.
  ///   - answers: For classification, what each example is; both must occur.
  init(_ problem: Problem, gram: Tensor, answers: [Bool] = []) throws(LibraryFailure) {
    do throws(VectorMachineLibraryError) {
      try VectorMachineLibrary.load()
    } catch {
      throw LibraryFailure(reason: "\(error.what). \(error.remedy)")
    }
    let count = gram.size(0)
    let values = gram.doubles()
    var nodes = [svm_node](repeating: svm_node(), count: count * (count + 2))
    for row in 0..<count {
      let base = row * (count + 2)
      // LIBSVM's form of a kernel matrix: place 0 holds the row's number, counted from 1; −1 ends the row.
      nodes[base] = svm_node(index: 0, value: Double(row + 1))
      for column in 0..<count {
        nodes[base + column + 1] = svm_node(index: Int32(column + 1), value: values[row * count + column])
      }
      nodes[base + count + 1] = svm_node(index: -1, value: 0)
    }
    var targets = answers.isEmpty ? [Double](repeating: 1, count: count) : answers.map { $0 ? 1 : -1 }
    var labels: [Int32] = [1, -1]
    var weights = [1.0, 1.0]
    var parameter = svm_parameter()
    parameter.kernel_type = Int32(CLIBSVM_PRECOMPUTED)
    parameter.cache_size = 64
    parameter.eps = 1e-3
    parameter.shrinking = 1
    switch problem {
    case .classification(let c, let balanced):
      parameter.svm_type = Int32(CLIBSVM_C_SVC)
      parameter.C = c
      if balanced {
        let right = Double(answers.count { $0 })
        weights = [Double(count) / (2 * right), Double(count) / (2 * (Double(count) - right))]
      }
      parameter.nr_weight = 2
    case .oneClass(let nu):
      parameter.svm_type = Int32(CLIBSVM_ONE_CLASS)
      parameter.nu = nu
    }

    let trained: Result<([Double], Double), LibraryFailure> = nodes.withUnsafeMutableBufferPointer { nodes in
      var rows: [UnsafeMutablePointer<svm_node>?] = (0..<count).map { row in
        nodes.baseAddress.map { $0 + row * (count + 2) }
      }
      return rows.withUnsafeMutableBufferPointer { rows in
        targets.withUnsafeMutableBufferPointer { targets in
          labels.withUnsafeMutableBufferPointer { labels in
            weights.withUnsafeMutableBufferPointer { weights in
              parameter.weight_label = labels.baseAddress
              parameter.weight = weights.baseAddress
              var problem = svm_problem(l: Int32(count), y: targets.baseAddress, x: rows.baseAddress)
              if let reason = clibsvm_check_parameter(&problem, &parameter) {
                return .failure(LibraryFailure(reason: String(cString: reason)))
              }
              let model = clibsvm_train(&problem, &parameter)
              defer { clibsvm_free(model) }
              guard let found = model?.pointee, let sv = found.sv_indices, let factors = found.sv_coef?[0]
              else {
                return .failure(LibraryFailure(reason: "LIBSVM trained no model"))
              }
              // LIBSVM's decision is positive for the answer that it met first.
              let sign: Double = found.label.map { $0[0] == 1 ? 1 : -1 } ?? 1
              var coefficients = [Double](repeating: 0, count: count)
              for place in 0..<Int(found.l) { coefficients[Int(sv[place]) - 1] = sign * factors[place] }
              return .success((coefficients, sign * found.rho[0]))
            }
          }
        }
      }
    }
    let (coefficients, rho) = try trained.get()
    self.coefficients = Tensor(coefficients, shape: [count, 1])
    self.rho = rho
  }

  /// The decision function, positive for `true` (or for inside): the kernel with the examples `[m, n]` → m values.
  func decisions(_ kernel: Tensor) -> [Float] {
    (kernel.to(.float64).matmul(coefficients) - rho).floats()
  }
}

/// The message of LIBSVM if it refuses.
struct LibraryFailure: Error, Sendable {
  var reason: String
}
