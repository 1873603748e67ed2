import Foundation
import Torch

/// The traits by which ``VerdictResiduals`` compare images.
struct ImageTraits: Sendable {
  /// The opinions of the kinds of evidence, standardized: `[n, S]`.
  var signals: Tensor
  /// The direction of the features: `[n, K]`.
  var coordinates: Tensor
  var labels: [Int]
  /// The suggested class where it is not the label, else −1.
  var rivals: [Int]

  func selecting(_ rows: [Int]) -> ImageTraits {
    let places = Tensor(rows)
    return ImageTraits(
      signals: signals.indexSelect(places), coordinates: coordinates.indexSelect(places),
      labels: rows.map { labels[$0] }, rivals: rows.map { rivals[$0] })
  }

  /// Of the images among themselves, without s²: `[n, n]`, float64.
  var covariance: Tensor { covariance(with: self).to(.float64) }

  /// The covariance without s², see ``VerdictResiduals``: `[n, m]`.
  func covariance(with other: ImageTraits) -> Tensor {
    withoutGradients {
      func squares(_ rows: Tensor) -> Tensor { rows.squared().sum(dim: 1) }
      let distances =
        squares(signals).unsqueezed(dim: 1) + squares(other.signals).unsqueezed(dim: 0)
        - signals.matmul(other.signals.transposed()) * 2
      let alike = (distances.clamped(min: 0) * (-0.5 / Double(max(1, signals.size(1))))).exp()
      let own = (label: Tensor(labels), rival: Tensor(rivals))
      let others = (label: Tensor(other.labels), rival: Tensor(other.rivals.map { $0 < 0 ? -2 : $0 }))
      func same(_ a: Tensor, _ b: Tensor) -> Tensor {
        (a.unsqueezed(dim: 1) .== b.unsqueezed(dim: 0)).to(.float32)
      }
      let sides =
        same(own.label, others.label) * 2 + same(own.rival, others.rival)
        - same(own.label, others.rival) - same(own.rival, others.label)
      return alike + coordinates.matmul(other.coordinates.transposed()) * sides
    }
  }
}

extension ImageTraits: Codable {
  private enum Key: String, CodingKey { case signals, coordinates, labels, rivals }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    func data(_ tensor: Tensor) -> Data {
      tensor.contiguous().withUnsafeBytes { Data($0) }
    }
    try container.encode(data(signals.to(.float32)), forKey: .signals)
    try container.encode(data(coordinates.to(.float32)), forKey: .coordinates)
    try container.encode(labels, forKey: .labels)
    try container.encode(rivals, forKey: .rivals)
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let labels = try container.decode([Int].self, forKey: .labels)
    let rivals = try container.decode([Int].self, forKey: .rivals)
    func tensor(_ key: Key) throws -> Tensor {
      let data = try container.decode(Data.self, forKey: key)
      let row = MemoryLayout<Float>.size * labels.count
      guard !labels.isEmpty, rivals.count == labels.count, data.count % row == 0 else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: container, debugDescription: "not as many values as images")
      }
      return data.withUnsafeBytes {
        Tensor(copying: $0, shape: [labels.count, data.count / row], dtype: .float32)
      }
    }
    self.init(
      signals: try tensor(.signals), coordinates: try tensor(.coordinates), labels: labels, rivals: rivals)
  }
}

/// The scale on which kinds of evidence are compared, taken from all images of a training set. New images are put on the
/// same scale.
struct EvidenceFrame: Sendable, Hashable, Codable {
  /// Candidates whose log-odds are signals: one of each world.
  let candidates: [Int]
  private let usesNetworks: Bool
  private let usesDisagreement: Bool
  /// By class the mean log-odds of its labels.
  private let classMeans: [Float]
  private var means: [Float] = []
  private var deviations: [Float] = []

  /// Log-odds beyond are as good as certain.
  private static let mostLogOdds = 12.0

  init(_ evidence: LabelEvidence) {
    candidates = LabelEvidence.World.allCases.compactMap { world in
      evidence.candidates.firstIndex { $0.world == world && $0.sharpness == 1 }
    }
    usesNetworks = evidence.networks != nil
    usesDisagreement = evidence.networks?.disagreement.allSatisfy(\.isFinite) ?? false
    let first = candidates.first.map { evidence.logOdds[$0] } ?? Tensor.zeros([evidence.count])
    let odds = withoutGradients { first.clamped(min: -8, max: 8).floats() }
    var sums = Array(repeating: Float(0), count: evidence.classes)
    var counts = sums
    for (label, value) in zip(evidence.labels, odds) {
      sums[label] += value
      counts[label] += 1
    }
    classMeans = zip(sums, counts).map { $1 > 0 ? $0 / $1 : 0 }
    let (means, deviations) = withoutGradients {
      let signals = raw(Array(0..<evidence.count), evidence)
      let mean = signals.mean(dim: 0)
      let variance = (signals - mean).squared().mean(dim: 0)
      // A value that is the same for all images says nothing.
      return (mean.floats(), variance.squareRoot().floats().map { $0 > 1e-6 ? $0 : 1 })
    }
    self.means = means
    self.deviations = deviations
  }

  /// - Returns: nil where the evidence knows no directions.
  func traits(of rows: [Int], in evidence: LabelEvidence) -> ImageTraits? {
    guard let coordinates = evidence.coordinates else { return nil }
    return withoutGradients {
      ImageTraits(
        signals: (raw(rows, evidence) - Tensor(means)) / Tensor(deviations),
        coordinates: coordinates.indexSelect(Tensor(rows)).to(.float32),
        labels: rows.map { evidence.labels[$0] },
        rivals: rows.map { evidence.suggested[$0] == evidence.labels[$0] ? -1 : evidence.suggested[$0] })
    }
  }

  /// Before they are standardized: `[n, S]`.
  private func raw(_ rows: [Int], _ evidence: LabelEvidence) -> Tensor {
    let places = Tensor(rows)
    var columns = candidates.map {
      evidence.logOdds[$0].indexSelect(places).clamped(min: -Self.mostLogOdds, max: Self.mostLogOdds)
    }
    func column(_ value: (Int) -> Float) -> Tensor { Tensor(rows.map(value)) }
    if usesNetworks, let networks = evidence.networks {
      columns.append(column { networks.cosine[$0] })
      columns.append(column { networks.cosine[$0] - networks.suggestedCosine[$0] })
      if usesDisagreement { columns.append(column { log(networks.disagreement[$0] + 0.01) }) }
    }
    columns.append(column { evidence.suggested[$0] == evidence.labels[$0] ? 1 : 0 })
    columns.append(column { classMeans[evidence.labels[$0]] })
    return Tensor.stack(columns, dim: 1)
  }
}
