/// The scores of one sample. NaN, and class −1, if a sample has no features.
public struct ScoreRow: Sendable, Hashable {
  /// Of the sample's feature and its label's class.
  public var cosine: Float
  /// The probability that the label is right.
  public var probability: Float
  /// Below it the label is taken to be wrong.
  public var threshold: Float
  public var verdict: Verdict
  public var softWeight: Float
  public var hardWeight: Float
  /// The class that fits best.
  public var suggestedLabel: Int32
  public var suggestedCosine: Float
  /// How far the model's networks disagree on the class, from 0 to 1; NaN also where there is one network only.
  public var disagreement: Float

  public enum Verdict: UInt8, Sendable, Hashable {
    case wrong = 0
    case right = 1
    /// There are no features to judge by.
    case unknown = 2
  }

  package init(
    cosine: Float, probability: Float, threshold: Float, verdict: Verdict, softWeight: Float,
    hardWeight: Float,
    suggestedLabel: Int32, suggestedCosine: Float, disagreement: Float = .nan
  ) {
    self.cosine = cosine
    self.probability = probability
    self.threshold = threshold
    self.verdict = verdict
    self.softWeight = softWeight
    self.hardWeight = hardWeight
    self.suggestedLabel = suggestedLabel
    self.suggestedCosine = suggestedCosine
    self.disagreement = disagreement
  }

  /// The columns: the files' names and types, in the order in which `append` and `read` handle them.
  static let columns: [(name: String, type: NpyType)] = [
    ("cosine", .float32), ("probability", .float32), ("threshold", .float32), ("verdict", .uint8),
    ("weight_soft", .float32), ("weight_hard", .float32), ("suggested_label", .int32),
    ("suggested_cosine", .float32), ("disagreement", .float32),
  ]
  /// So many columns were there from the beginning; older workspaces lack the others.
  static let oldColumns = 8

  /// Adds the row's values to the columns' bytes.
  func append(to columns: inout [[UInt8]]) {
    func add(_ column: Int, _ value: some Any) {
      withUnsafeBytes(of: value) { columns[column].append(contentsOf: $0) }
    }
    add(0, cosine)
    add(1, probability)
    add(2, threshold)
    add(3, verdict.rawValue)
    add(4, softWeight)
    add(5, hardWeight)
    add(6, suggestedLabel)
    add(7, suggestedCosine)
    add(8, disagreement)
  }
}
