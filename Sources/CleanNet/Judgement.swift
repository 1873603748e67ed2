/// The judgement of one image and its label.
public struct Judgement: Sendable, Hashable {
  /// The image, by its row.
  public var image: Int
  /// The probability that the label is right; nil for an image without finite features or without a label.
  public var probability: Float?
  /// Whether the label is taken to be right; nil as above.
  public var isRight: Bool?
  /// The class that fits best; nil for an image without finite features.
  public var suggestedClass: Int?
  /// The image's weight in a classifier's loss; nil as `probability`.
  public var softWeight: Float?
  /// For a new image: the most similar training images, nearest first, if requested.
  public var nearest: [LabelJudge.Neighbor]
}

/// One ``Judgement`` per image, in the order of the rows.
extension Judgements: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { cosine.count }

  public subscript(image: Int) -> Judgement {
    Judgement(
      image: image, probability: Self.known(probability[image]), isRight: isRight(image),
      suggestedClass: suggestedClass[image] < 0 ? nil : suggestedClass[image],
      softWeight: Self.known(softWeight[image]), nearest: nearest.isEmpty ? [] : nearest[image])
  }

  private static func known(_ value: Float) -> Float? { value.isNaN ? nil : value }
}
