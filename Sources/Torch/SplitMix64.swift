import Files

/// A stream of random numbers with a state of one word, so that a checkpoint can keep it (SplitMix64; Steele, Lea and
/// Flood 2014).
package struct SplitMix64: RandomNumberGenerator, Sendable, Hashable, Codable {
  package private(set) var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return state.splitMixed
  }
}
