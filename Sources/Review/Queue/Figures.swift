import Foundation

extension Double {
  /// "12 %", "0.7 %".
  var percent: String { String(format: self < 0.0995 ? "%.1f %%" : "%.0f %%", self * 100) }
}
