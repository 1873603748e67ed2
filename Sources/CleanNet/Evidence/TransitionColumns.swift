import Torch

/// T by label, as images read it: of each image its candidates' entries in one column. The states that are nobody's
/// candidates are divided as labels are frequent.
struct TransitionColumns: Sendable {
  private let states: Int
  /// T[s, y], by label: `[C, E]`.
  private let values: [Float]
  /// How the tail is divided: `[E]`.
  private let spread: [Float]
  /// By label the sum of `spread · T` over all states but the label.
  private let others: [Double]

  /// - Parameter transition: `[E, C]`
  init(_ transition: Tensor, _ labels: SoftLabels) {
    let columns = withoutGradients { transition.clamped(min: 1e-12).transposed().contiguous() }
    let states = labels.states
    let spread = labels.spread
    values = columns.floats()
    self.states = states
    self.spread = spread
    let all = withoutGradients { (columns * Tensor(spread)).sum(dim: 1).doubles() }
    let values = values
    others = all.enumerated().map { label, sum in
      max(0, sum - Double(spread[label] * values[label * states + label]))
    }
  }

  /// The likelihood of each image's label in the states of its candidates and bundles: `[n, m + B]`.
  func likelihoods(_ piece: CandidatePiece) -> Tensor {
    let count = piece.rows.count
    let candidates = piece.candidates
    let width = piece.width
    let result = Tensor.empty([count, width])
    result.withUnsafeMutableBytes { target in
      piece.states.withUnsafeBytes { known in
        values.withUnsafeBufferPointer { values in
          spread.withUnsafeBufferPointer { spread in
            let target = target.bindMemory(to: Float.self)
            let known = known.bindMemory(to: Int32.self)
            for row in 0..<count {
              let column = piece.labels[row] * states
              let from = row * candidates
              let to = row * width
              var rest = others[piece.labels[row]]
              for place in 0..<candidates {
                let state = Int(known[from + place])
                let value = values[column + state]
                target[to + place] = value
                if place > 0 { rest -= Double(spread[state] * value) }
              }
              guard width > candidates else { continue }
              let tail = max(1e-12, Float(max(0, rest)) / piece.tailShares[row])
              for place in candidates..<width { target[to + place] = tail }
            }
          }
        }
      }
    }
    return result
  }

  /// Beliefs of images of the same label, one after the other, summed by state.
  struct Runs: Sendable {
    fileprivate var labels: [Int] = []
    /// `[runs, E]`
    fileprivate var sums: [Float] = []
  }

  /// Sums a piece's beliefs.
  ///
  /// The believed mass of a tail is divided among its states by how well they explain the label.
  ///
  /// - Parameters:
  ///   - beliefs: `[n, m + B]`
  ///   - likelihoods: Of the piece.
  func runs(_ piece: CandidatePiece, beliefs: Tensor, _ likelihoods: Tensor) -> Runs {
    let count = piece.rows.count
    let candidates = piece.candidates
    let width = piece.width
    var runs = Runs()
    for (row, label) in piece.labels.enumerated() where row == 0 || label != piece.labels[row - 1] {
      runs.labels.append(label)
    }
    runs.sums = [Float](repeating: 0, count: runs.labels.count * states)
    let beliefs = beliefs.contiguous()
    runs.sums.withUnsafeMutableBufferPointer { sums in
      beliefs.withUnsafeBytes { beliefs in
        likelihoods.withUnsafeBytes { likelihoods in
          piece.states.withUnsafeBytes { known in
            values.withUnsafeBufferPointer { values in
              spread.withUnsafeBufferPointer { spread in
                let beliefs = beliefs.bindMemory(to: Float.self)
                let likelihoods = likelihoods.bindMemory(to: Float.self)
                let known = known.bindMemory(to: Int32.self)
                var run = -1
                var tails: Float = 0
                func end(_ label: Int) {
                  guard run >= 0, tails > 0 else { return }
                  for state in 0..<states where state != label {
                    let value = sums[run * states + state]
                    sums[run * states + state] = max(
                      0, value + tails * spread[state] * values[label * states + state])
                  }
                }
                for row in 0..<count {
                  let label = piece.labels[row]
                  if row == 0 || label != piece.labels[row - 1] {
                    if row > 0 { end(piece.labels[row - 1]) }
                    run += 1
                    tails = 0
                  }
                  let start = run * states
                  let from = row * candidates
                  let to = row * width
                  for place in 0..<candidates {
                    sums[start + Int(known[from + place])] += beliefs[to + place]
                  }
                  guard width > candidates else { continue }
                  var believed: Float = 0
                  for place in candidates..<width { believed += beliefs[to + place] }
                  let tail = believed / (likelihoods[to + candidates] * piece.tailShares[row])
                  tails += tail
                  for place in 1..<candidates {
                    let state = Int(known[from + place])
                    sums[start + state] -= tail * spread[state] * values[label * states + state]
                  }
                }
                if count > 0 { end(piece.labels[count - 1]) }
              }
            }
          }
        }
      }
    }
    return runs
  }

  /// All beliefs by label: `[C, E]`.
  func sum(_ runs: [Runs]) -> Tensor {
    var total = [Float](repeating: 0, count: values.count)
    for part in runs {
      for (run, label) in part.labels.enumerated() {
        let from = run * states
        let to = label * states
        for state in 0..<states { total[to + state] += part.sums[from + state] }
      }
    }
    return Tensor(total, shape: [values.count / states, states])
  }
}
