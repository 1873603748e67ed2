extension UInt64 {
  /// SplitMix64's last step, a bijection that spreads every bit over the whole word (Steele, Lea and Flood 2014).
  package var splitMixed: UInt64 {
    var word = self
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
