import Foundation

extension Double {
  /// "12 %", "0.7 %".
  var percent: String { String(format: self < 0.0995 ? "%.1f %%" : "%.0f %%", self * 100) }
  /// A share as people count: "12 of 100", "7 of 1,000".
  var counted: String {
    self < 0.0995
      ? "\(Int((self * 1000).rounded())) of 1,000" : "\(Int((self * 100).rounded())) of 100"
  }
}
