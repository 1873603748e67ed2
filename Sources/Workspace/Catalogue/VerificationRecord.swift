import Foundation

/// A person's answer about a sample's label.
public enum VerificationAnswer: Sendable, Hashable {
  case right
  case wrong
  /// Looked at, and could not tell.
  case unsure
  /// Takes back what was said before.
  case withdrawn

  public init(isRight: Bool) { self = isRight ? .right : .wrong }

  /// `nil` unless right or wrong.
  public var isRight: Bool? {
    switch self {
    case .right: true
    case .wrong: false
    case .unsure, .withdrawn: nil
    }
  }

  var stored: Int? {
    switch self {
    case .right: 1
    case .wrong: 0
    case .unsure: 2
    case .withdrawn: nil
    }
  }

  init(stored: Int?) {
    switch stored {
    case 1: self = .right
    case 0: self = .wrong
    case nil: self = .withdrawn
    default: self = .unsure
    }
  }
}

/// One answer to "is this image's label right?", as it is kept for ever.
public struct VerificationRecord: Sendable, Hashable {
  /// How an answer came about.
  public enum Origin: String, Sendable, Hashable {
    case imported = "import"
    case simulated = "simulate"
    case reviewed = "review"
    /// Ends a disagreement of several people.
    case settled = "settle"
    /// Tests the person: an image of another class, found right there, shown among those of this one. The answer is on a
    /// label that the image does not have, and counts for the person's quality alone.
    case trial
    /// One of many suggestions that were accepted at once, unseen. It cleans the data set and teaches nothing.
    case accepted = "accept"
  }

  /// Why an image was shown to a person.
  public enum Selection: String, Sendable, Hashable, Codable {
    /// It was the next one of its class in the order that was drawn at random beforehand.
    case drawn
    /// Drawn at random in some other way, as who gave or imported the answer declares.
    case declared = "random"
    /// Because its verdict was expected to help.
    case informative
    /// Because its label looked wrong.
    case suspect
    /// To look at an earlier verdict again, which the model contradicts, or mixed with such.
    case again
    /// To see whether the person notices what is certainly wrong.
    case trial
    /// Because people disagreed on it.
    case dispute
    /// Because the person wished to see it.
    case wished
  }

  /// A person's remark about an image beside right and wrong.
  public enum Remark: String, Sendable, Hashable, Codable, CaseIterable {
    /// It shows none of the data set's classes: its label is wrong, and no other is right.
    case noClass = "none"
    /// It shows several classes, so that one label does not tell.
    case several
    /// It is no use: blurred, cut off, a placeholder.
    case bad
    /// It is to be left out, for whatever reason.
    case exclude

    /// The answer that belongs to the remark.
    public var answer: VerificationAnswer { self == .noClass ? .wrong : .unsure }

    /// Whether the image is left out of exports and training.
    public var leavesOut: Bool { self == .bad || self == .exclude }
  }

  /// A hash of all of it as it is stored, by which a row that a disk has changed is told.
  ///
  /// - Parameter at: The date as it is stored.
  func sum(at: Double) -> Int64 {
    var hash = StableHash()
    for number in [sample, label, answer.stored ?? -1, dwell ?? -1, correction ?? -1] { hash.combine(number) }
    hash.combine(at.bitPattern)
    for text in [person, origin.rawValue, client ?? "", selection?.rawValue ?? ""] { hash.combine(text) }
    if let remark { hash.combine(remark.rawValue) }
    return Int64(bitPattern: hash.word)
  }

  public var sample: Int
  /// The class that was judged. An answer counts only while it is the sample's label.
  public var label: Int
  public var answer: VerificationAnswer
  public var person: String
  public var date: Date
  public var origin: Origin
  /// How long the person looked, in milliseconds.
  public var dwell: Int?
  /// A name that the sender chooses, so that sending the answer twice does nothing.
  public var client: String?
  /// The number of the class that the person says is right, where the label is wrong.
  public var correction: Int?
  /// Nil if it is not known; such images do not count as a random sample.
  public var selection: Selection?
  /// The person's further remark about the image.
  public var remark: Remark?

  package init(
    sample: Int, label: Int, answer: VerificationAnswer, person: String, date: Date = .now, origin: Origin,
    dwell: Int? = nil, client: String? = nil, correction: Int? = nil, selection: Selection? = nil,
    remark: Remark? = nil
  ) {
    self.sample = sample
    self.label = label
    self.answer = answer
    self.person = person
    self.date = date
    self.origin = origin
    self.dwell = dwell
    self.client = client
    self.correction = correction
    self.selection = selection
    self.remark = remark
  }
}
