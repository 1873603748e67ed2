/// The people behind the verdicts of one file: a person who calls an image right in one row and wrong in another speaks
/// with two voices. So neither verdict is lost, and the page can have it settled.
struct FileVoices {
  private struct Voice: Hashable {
    var sample: Int
    var person: String
  }

  private var heard: [Voice: Bool] = [:]
  private var verdicts: [Int: Bool] = [:]
  private var disputes: Set<Int> = []
  /// The keys of images that are called both right and wrong, in the file's order.
  private(set) var disputed: [String] = []

  /// Under which name a verdict is kept; nil if that person has said so already.
  ///
  /// - Parameter isRight: Nil: looked and could not tell, which contradicts nobody.
  mutating func person(_ name: String, of sample: Int, key: String, isRight: Bool?) -> String? {
    guard let isRight else { return name }
    let first = verdicts[sample]
    verdicts[sample] = first ?? isRight
    if first == !isRight, disputes.insert(sample).inserted { disputed.append(key) }
    var number = 1
    while true {
      let person = number == 1 ? name : "\(name) (\(number))"
      let voice = Voice(sample: sample, person: person)
      guard let said = heard[voice] else {
        heard[voice] = isRight
        return person
      }
      if said == isRight { return nil }
      number += 1
    }
  }
}
