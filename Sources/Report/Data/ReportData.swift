import Foundation

/// All that the report's page says: each number on the page is one of these.
///
/// Images are referred to by their number in the workspace; those that the page shows are in ``images``. Of large data
/// sets samples are shown; ``remarks`` says of what.
public struct ReportData: Sendable, Codable {
  public var about: About
  public var summary: Summary
  /// By class number.
  public var classes: [ClassReport]
  /// The images that the page shows, by number.
  public var images: [ImageCard]
  /// The most suspicious images of all classes, worst first.
  public var suspicious: [Int]
  public var confusions: Confusions
  /// nil where nothing is scored.
  public var sweep: ThresholdSweep?
  /// How good the judgement is on images whose truth is known; empty where there are none.
  public var quality: [Quality]
  public var map: FeatureMap?
  public var duplicates: Duplicates?
  public var checks: ImageChecks?
  public var classifiers: [ClassifierRun]
  public var history: [HistoryEntry]
  /// The commands that make all of it again.
  public var commands: [String]
  /// Images that look unlike all classes, and images between two classes.
  public var outliers: [Int]?
  public var ambiguous: [Int]?
  /// Classes whose images differ from the others in something that is no matter of their content.
  public var groups: [OddGroup]?
  public var comparison: Comparison?
  /// What was sampled or left out, and why.
  public var remarks: [String]

  /// The data as JSON with sorted keys.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return try encoder.encode(self)
  }

  /// Reads what ``json()`` wrote.
  public init(json: Data) throws {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    self = try decoder.decode(ReportData.self, from: json)
  }

  /// The numbers of the classes in the order of their names, numbers within them by their value.
  var classesByName: [Int] {
    classes.indices.sorted {
      let order = classes[$0].name.compare(classes[$1].name, options: .numeric)
      return order == .orderedSame ? $0 < $1 : order == .orderedAscending
    }
  }

  init(about: About, summary: Summary) {
    (self.about, self.summary) = (about, summary)
    (classes, images, suspicious, quality) = ([], [], [], [])
    confusions = Confusions(pairs: [], matrix: nil)
    (classifiers, history, commands, remarks) = ([], [], [], [])
  }
}

/// What the report is of.
public struct About: Sendable, Codable {
  /// The workspace folder's name.
  public var name: String
  public var workspace: String
  public var made: Date
  /// Of the program.
  public var version: String
  public var sources: [Source]
  /// Where the features come from, as settings for people.
  public var features: [String: String]
  /// `paper` or `extended`; nil where nothing is trained.
  public var objective: String?
  /// The share of the true nearest neighbours that scoring was given; nil where none were sought.
  public var neighborRecall: Double?
  /// Whether something that the scores follow from has changed since.
  public var isStale: Bool
  /// What thresholds are compared with: `probability` or `cosine`.
  public var basis: String
  /// The column of true labels, if one was named.
  public var truth: String?

  public struct Source: Sendable, Codable {
    public var path: String
    public var format: String
    public var images: Int
  }
}

/// The figures at the top.
public struct Summary: Sendable, Codable {
  public var images: Int
  public var classes: Int
  public var splits: [Split]
  /// Images with a score.
  public var judged: Int
  /// Labels called wrong: by the model, or by the person who looked.
  public var calledWrong: Int
  /// The model's expected share of wrong labels among those judged: the mean of 1 − probability.
  public var estimatedNoise: Double?
  /// The same over the verified classes alone.
  public var estimatedNoiseVerifiedClasses: Double?
  /// Wrong ones among the verified images that were drawn at random; nil where there are none.
  public var verified: Share?
  /// Images that people answered, however they were chosen, those they were not sure of included.
  public var looked: Int?
  /// Images that people could not judge, and those of them that were drawn at random.
  public var unsure: Int
  public var unsureDrawn: Int?
  /// Verdicts that the model contradicts clearly, each judged without its own verdict: some may be slips.
  public var contradicted: Int?
  /// What it comes to.
  public var conclusion: Conclusion?
  public var verifiedClasses: Int
  /// Verified images of all classes were drawn at rates that differ by more than a factor of two.
  public var verifiedUnevenly: Bool
  public var guarantee: Guarantee?
  /// Images that could not be read.
  public var unreadable: Int

  /// Whether the data set can be used, and what the next step costs.
  public struct Conclusion: Sendable, Codable {
    public enum Use: String, Sendable, Codable {
      /// Nobody knows yet.
      case unknown
      /// Without the labels called wrong.
      case use
      /// Only once people have looked at more of them.
      case clean
      /// Most of what would be kept may be wrong.
      case avoid
    }

    public var use: Use
    /// Images to look at next, and how long that takes at the usual pace of the page.
    public var looks: Int
    public var minutes: Double
    /// The share of wrong labels at most left, to be shown by those looks, if none of what they find speaks against it.
    public var target: Double
  }

  public struct Split: Sendable, Codable {
    public var name: String
    public var images: Int
  }

  /// An upper bound on the share of wrong labels left among the images kept in the verified classes.
  public struct Guarantee: Sendable, Codable {
    public var confidence: Double
    public var upper: Double
    public var kept: Int
    public var sample: Int
    public var wrong: Int
  }
}

/// A class whose images are darker, smaller or less sharp than those of the others.
public struct OddGroup: Sendable, Codable, Hashable {
  public var label: Int
  /// Such as "brightness".
  public var property: String
  /// Mean of the class and of all other images looked at.
  public var mean: Double
  public var elsewhere: Double
  /// How far apart, in standard deviations of all images.
  public var distance: Double
  public var images: Int
}
