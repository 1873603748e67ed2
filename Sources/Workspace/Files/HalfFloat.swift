/// Conversion of many numbers between IEEE half and single precision.
///
/// Swift's own `Float16` calls a routine a number where the processor's instruction cannot be assumed; these
/// loops are arithmetic on integers, which the compiler turns into vectors on every processor.
enum HalfFloat {
  /// Exact for every half, infinities, NaN and subnormal numbers included. The source need not be aligned.
  static func widen(
    _ source: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>, count: Int
  ) {
    // Exponent and fraction in a float's place are too small by 2¹¹²; the product restores them, subnormals
    // too.
    let scale = Float(bitPattern: 0x7780_0000)
    for index in 0..<count {
      let half = UInt32(source.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self))
      let magnitude = (half & 0x7FFF) &<< 13
      let value = Float(bitPattern: magnitude) * scale
      // Infinity and NaN keep the largest exponent.
      let special: UInt32 = magnitude >= 0x0F80_0000 ? 0x7F80_0000 : 0
      target[index] = Float(bitPattern: value.bitPattern | special | (half & 0x8000) &<< 16)
    }
  }

  /// Rounds to the nearest half, ties to even.
  ///
  /// - Returns: the index of the first finite number that is too large for a half, if there is one.
  static func narrow(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<UInt16>, count: Int
  ) -> Int? {
    var overflow: Int?
    for index in 0..<count {
      let half = Float16(source[index])
      target[index] = half.bitPattern
      if half.isInfinite, source[index].isFinite, overflow == nil { overflow = index }
    }
    return overflow
  }
}
