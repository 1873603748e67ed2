import Foundation
import Torch

/// Corrections that verdicts make beyond the readings of the evidence: for images that look alike, for a class, for two
/// classes that are taken for each other, and for kinds of evidence.
///
/// A Gaussian process over log-odds (Rasmussen and Williams 2006, sections 3.4 and 5.4.2). Its mean are the log-odds that
/// the readings give, and its covariance of images i and j is
///
///     s² · (exp(−|e_i − e_j|² / 2S) + x_i·x_j · (2·[l_i = l_j] − [l_i = r_j] − [r_i = l_j] + [r_i = r_j]))
///
/// with the signals e of the evidence, the direction x of the features, the label l, and its rival r: the suggested
/// class where it is another. So a verdict raises or lowers the labels of images that look like its own and have the
/// same label. It moves images that look like it and have the rival's label the other way. The mode is found by
/// Newton's method. How much s is believed, and whether anything is learned at all, the images say that are predicted
/// from the others (leave-one-out).
///
/// Verdicts beyond ``groupSize`` are learned from in groups, of complete classes where that is possible, so that time
/// grows with their number and not with its cube. An image is told by the groups of its class, on the average.
struct VerdictResiduals: Sendable, Codable {
  /// s of each process. Half of the readings' share is usual; more than one fits noise.
  static let amplitudes = [0.5, 1.0]
  /// The log-weight of each process before any verdict; the readings alone have 0.
  static let logPrior = -2.0
  /// More verdicts than this are divided.
  static let groupSize = 600
  /// Images that are judged at once.
  private static let chunk = 4096

  /// How images are compared.
  let frame: EvidenceFrame
  /// How much the readings alone count, and each process.
  let weights: [Double]
  private let groups: [Group]
  /// By class the groups that have verified images of it.
  private let groupsOfClass: [[Int]]

  /// Verified images that are learned from together.
  private struct Group: Sendable, Codable {
    var traits: ImageTraits
    /// For each amplitude the weight of each image, times s².
    var pulls: [[Float]]
  }

  /// - Parameters:
  ///   - traits: Of the verified images.
  ///   - signs: +1 for right, −1 for wrong.
  ///   - slipRates: How often whoever gave each verdict is mistaken.
  ///   - logOdds: The log-odds of the images by the readings.
  ///   - weigh: Makes log-likelihoods, by model and class, into weights.
  init(
    frame: EvidenceFrame, traits: ImageTraits, signs: [Double], slipRates: [Double], logOdds: [Double],
    classes: Int,
    weigh: (_ logPriors: [Double], _ logLikelihoods: [[Double]]) -> [Double]
  ) {
    let grouped = Self.groups(traits.labels)
    let fits = concurrentMap(over: grouped.count, threads: Engine.threads) { place in
      let rows = grouped[place]
      let covariance = traits.selecting(rows).covariance
      return Self.amplitudes.map { amplitude in
        Self.mode(
          covariance * (amplitude * amplitude), mean: rows.map { logOdds[$0] },
          signs: rows.map { signs[$0] }, slipRates: rows.map { slipRates[$0] }, leavesOneOut: true)
      }
    }
    // The predictions of each model for each verified image, learned from the others.
    var predictions = [logOdds] + Self.amplitudes.map { _ in logOdds }
    for (rows, fits) in zip(grouped, fits) {
      for (model, fit) in fits.enumerated() {
        for (place, row) in rows.enumerated() { predictions[model + 1][row] = fit.leftOut[place] }
      }
    }
    let byClass = Dictionary(grouping: signs.indices) { traits.labels[$0] }.sorted { $0.key < $1.key }
    let logLikelihoods = predictions.map { odds in
      byClass.map { _, rows in
        rows.reduce(0) {
          $0 + VerdictModel.logLikelihood(signs[$1] * odds[$1], slipRate: slipRates[$1])
        }
      }
    }
    weights = weigh([0] + Self.amplitudes.map { _ in Self.logPrior }, logLikelihoods)
    self.frame = frame
    groups = zip(grouped, fits).map { rows, fits in
      Group(
        traits: traits.selecting(rows),
        pulls: zip(Self.amplitudes, fits).map { amplitude, fit in
          fit.weights.map { Float($0 * amplitude * amplitude) }
        })
    }
    var groupsOfClass = Array(repeating: Set<Int>(), count: classes)
    for (place, rows) in grouped.enumerated() {
      for row in rows { groupsOfClass[traits.labels[row]].insert(place) }
    }
    self.groupsOfClass = groupsOfClass.map { $0.sorted() }
  }

  /// Rows by groups, of nearly equal size, and of complete classes, except for classes larger than a group.
  static func groups(_ labels: [Int]) -> [[Int]] {
    let byClass = Dictionary(grouping: labels.indices) { labels[$0] }.sorted { $0.key < $1.key }.map(\.value)
    let parts = byClass.flatMap { rows -> [[Int]] in
      let count = (rows.count + groupSize - 1) / groupSize
      return (0..<count).map { part in
        stride(from: part, to: rows.count, by: count).map { rows[$0] }
      }
    }
    let count = (labels.count + groupSize - 1) / groupSize
    var groups: [[Int]] = [[]]
    var done = 0
    for rows in parts {
      if done * count >= labels.count * groups.count { groups.append([]) }
      groups[groups.count - 1] += rows
      done += rows.count
    }
    return groups.filter { !$0.isEmpty }.map { $0.sorted() }
  }

  // MARK: Fitting

  struct Fit: Sendable {
    /// K⁻¹ (f − m), one per image.
    var weights: [Double]
    /// The log-odds of each image, predicted from the other images.
    var leftOut: [Double]
  }

  /// The mode of the posterior: Rasmussen and Williams 2006, algorithm 3.1, with steps that are halved until they help.
  ///
  /// - Parameter covariance: `[n, n]`, float64.
  static func mode(
    _ covariance: Tensor, mean: [Double], signs: [Double], slipRates: [Double], leavesOneOut: Bool
  ) -> Fit {
    withoutGradients {
      let mean = Tensor(mean)
      let signs = Tensor(signs)
      let slips = Tensor(slipRates)
      let steadiness = 1 - slips * 2
      let one = Tensor.eye(signs.size(0)).to(.float64)
      func column(_ values: Tensor) -> Tensor { values.unsqueezed(dim: 1) }
      func product(_ weights: Tensor) -> Tensor { covariance.matmul(column(weights)).squeezed(dim: 1) }
      func objective(_ weights: Tensor, _ odds: Tensor) -> Double {
        // log(ε + (1 − 2ε)·σ(m)), written so that it stays finite where ε is 0.
        let margins = signs * odds
        let likelihoods = ((1 - slips + slips * (-margins).exp()).log() - (-margins).softplus())
        return likelihoods.sum().item - 0.5 * (weights * (odds - mean)).sum().item
      }
      var weights = Tensor.zeros([signs.size(0)], dtype: .float64)
      var odds = mean
      var best = objective(weights, odds)
      /// See ``VerdictModel/slope(_:slipRate:)``.
      func slope(_ odds: Tensor) -> (gradient: Tensor, curvature: Tensor) {
        let probability = (signs * odds).sigmoid()
        let said = slips + steadiness * probability
        let change = steadiness * probability * (1 - probability)
        return (
          signs * change / said.clamped(min: 1e-12),
          change * change / (said * (1 - said)).clamped(min: 1e-12) + 1e-6
        )
      }
      /// √W, √W·K and I + √W·K·√W.
      func system(_ curvature: Tensor) -> (root: Tensor, scaled: Tensor, matrix: Tensor) {
        let root = curvature.squareRoot()
        let scaled = covariance * column(root)
        return (root, scaled, one + scaled * root.unsqueezed(dim: 0))
      }
      for _ in 0..<20 {
        let (pull, curvature) = slope(odds)
        let (root, _, matrix) = system(curvature)
        let gradient = curvature * (odds - mean) + pull
        let newton =
          gradient - root * matrix.solve(column(root * product(gradient))).squeezed(dim: 1)
        var step = 1.0
        var next = newton
        var value = -Double.infinity
        var nextOdds = odds
        while step > 0.05 {
          next = weights + (newton - weights) * step
          nextOdds = mean + product(next)
          value = objective(next, nextOdds)
          if value >= best { break }
          step /= 2
        }
        guard value > best else { break }
        let gained = value - best
        weights = next
        odds = nextOdds
        best = value
        if gained < 1e-6 { break }
      }
      guard leavesOneOut else { return Fit(weights: weights.doubles(), leftOut: []) }
      // The cavity: the posterior of f_i without the image's own likelihood.
      let (pull, curvature) = slope(odds)
      let (_, scaled, matrix) = system(curvature)
      let own = (covariance * one).sum(dim: 0)
      let variance = own - (scaled * matrix.solve(scaled)).sum(dim: 0)
      let leftOut =
        odds - variance * pull / (1 - curvature * variance).clamped(min: 1e-6)
      return Fit(weights: weights.doubles(), leftOut: leftOut.doubles())
    }
  }

  // MARK: Judging

  private var isNeeded: Bool { (weights.first ?? 1) < 1 - 1e-4 }

  /// Probabilities from those of the readings.
  ///
  /// - Parameters:
  ///   - readings: By the readings alone, one per image of the evidence.
  func probabilities(_ readings: [Float], _ evidence: LabelEvidence) -> [Float] {
    guard isNeeded else { return readings }
    var result = readings
    for start in stride(from: 0, to: readings.count, by: Self.chunk) {
      let rows = Array(start..<min(start + Self.chunk, readings.count))
      guard let traits = frame.traits(of: rows, in: evidence) else { return readings }
      let shifts = shifts(traits)
      for (place, row) in rows.enumerated() {
        result[row] = Float(
          mixed(VerdictModel.logit(Double(readings[row])), shifts[place], weights: weights))
      }
    }
    return result
  }

  /// Weighs the readings' log-odds, and the log-odds that each process shifts.
  private func mixed(_ logOdds: Double, _ shifts: [Double], weights: [Double]) -> Double {
    zip(weights.dropFirst(), shifts).reduce(weights[0] * VerdictModel.sigmoid(logOdds)) {
      $0 + $1.0 * VerdictModel.sigmoid(logOdds + $1.1)
    }
  }

  /// By image, what each process adds to its log-odds. An image of a class without verdicts is told by all groups.
  private func shifts(_ traits: ImageTraits) -> [[Double]] {
    withoutGradients {
      var sums = Array(
        repeating: Array(repeating: 0.0, count: Self.amplitudes.count), count: traits.labels.count)
      for (place, group) in groups.enumerated() {
        let concerned = traits.labels.indices.filter {
          let own = groupsOfClass[traits.labels[$0]]
          return own.isEmpty || own.contains(place)
        }
        guard !concerned.isEmpty else { continue }
        let pulls = Tensor.stack(group.pulls.map { Tensor($0) }, dim: 1)
        let found = traits.selecting(concerned).covariance(with: group.traits).matmul(pulls).doubles()
        for (number, image) in concerned.enumerated() {
          let own = groupsOfClass[traits.labels[image]].count
          let share = 1 / Double(own > 0 ? own : groups.count)
          for model in Self.amplitudes.indices {
            sums[image][model] += share * found[number * Self.amplitudes.count + model]
          }
        }
      }
      return sums
    }
  }

  /// Probabilities of some verified images, learned from others, with the weights that all have.
  ///
  /// - Parameters:
  ///   - held: Places of the images that are judged.
  ///   - rest: Places of the verdicts that are learned from.
  ///   - logOdds: By readings that were fitted to `rest`, of all verified images.
  func probabilities(
    of held: [Int], from rest: [Int], traits: ImageTraits, signs: [Double], slipRates: [Double],
    logOdds: [Double]
  ) -> [Double] {
    guard isNeeded else { return held.map { VerdictModel.sigmoid(logOdds[$0]) } }
    var groupOfPlace: [Int: Int] = [:]
    for (number, places) in Self.groups(traits.labels).enumerated() {
      for place in places { groupOfPlace[place] = number }
    }
    var result = Array(repeating: 0.0, count: held.count)
    for number in groups.indices {
      let judged = held.indices.filter { groupOfPlace[held[$0]] == number }
      let known = rest.filter { groupOfPlace[$0] == number }
      guard !judged.isEmpty else { continue }
      var shifts = Array(repeating: Array(repeating: 0.0, count: Self.amplitudes.count), count: judged.count)
      if !known.isEmpty {
        let own = traits.selecting(known)
        let others = traits.selecting(judged.map { held[$0] })
        let covariance = own.covariance
        let cross = others.covariance(with: own).to(.float64)
        for (model, amplitude) in Self.amplitudes.enumerated() {
          let scale = amplitude * amplitude
          let fit = Self.mode(
            covariance * scale, mean: known.map { logOdds[$0] }, signs: known.map { signs[$0] },
            slipRates: known.map { slipRates[$0] }, leavesOneOut: false)
          let found = (cross * scale).matmul(Tensor(fit.weights).unsqueezed(dim: 1)).doubles()
          for place in judged.indices { shifts[place][model] = found[place] }
        }
      }
      for (place, index) in judged.enumerated() {
        result[index] = mixed(logOdds[held[index]], shifts[place], weights: weights)
      }
    }
    return result
  }
}
