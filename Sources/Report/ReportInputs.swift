import CleanNet
import Torch

/// What the report needs beside the workspace's tables; whoever runs it knows where they come from.
public struct ReportInputs: Sendable {
  /// The features in use; nil: no map, no references, no duplicates by features.
  public var features: (any FeatureSource)?
  /// About the features, for people.
  public var featuresAbout: [String: String]
  /// The model that judged; nil: no references are shown.
  public var model: CleanNetModel?
  /// Whether something that the scores follow from has changed since.
  public var isStale: Bool
  /// By image whether its label is truly right; nil where nobody knows.
  public var truth: [Bool?]?
  /// The column that the truth comes from.
  public var truthName: String?

  public init(
    features: (any FeatureSource)? = nil, featuresAbout: [String: String] = [:], model: CleanNetModel? = nil,
    isStale: Bool = false, truth: [Bool?]? = nil, truthName: String? = nil
  ) {
    (self.features, self.featuresAbout, self.model) = (features, featuresAbout, model)
    (self.isStale, self.truth, self.truthName) = (isStale, truth, truthName)
  }
}

/// How much of a large data set is looked at and shown.
public struct ReportLimits: Sendable, Hashable {
  /// Images that are decoded to look for bad ones and for duplicates.
  public var examined = 20_000
  /// Points of the map.
  public var mapped = 1_500
  /// Small copies of images in the page.
  public var pictures = 1_800
  /// Their longer side, in pixels; smaller where together they would have more than ``pictureBytes``.
  public var pictureSide = 96
  public var pictureBytes = 5_500_000
  /// Classes with a section of their own.
  public var sections = 150

  public init() {}
}

/// How far the report is.
public enum ReportProgress: Sendable {
  case began(String, total: Int?, unit: String)
  case reached(Int)
  case ended(String)
}
