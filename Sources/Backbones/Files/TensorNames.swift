import Torch

/// Translates other people's names of tensors into our own.
///
/// A rule is a pair of dotted patterns: `#` stands for a number, a last `*` for all that follows, and both come back in the
/// result in their order. Rules are tried in order. A rule whose result is empty drops the tensor: it belongs to the file's
/// network, but not to what makes features.
struct TensorNames: Sendable {
  private struct Rule: Sendable {
    var pattern: [Substring]
    var result: [Substring]
  }

  private let rules: [Rule]

  init(_ rules: [(String, String)]) {
    self.rules = rules.map {
      Rule(pattern: $0.0.split(separator: "."), result: $0.1.split(separator: "."))
    }
  }

  enum Translation: Equatable {
    case name(String)
    case dropped
    case unknown
  }

  func translate(_ name: String) -> Translation {
    let parts = name.split(separator: ".")
    for rule in rules {
      guard let found = Self.match(parts, rule.pattern) else { continue }
      return rule.result.isEmpty ? .dropped : .name(Self.fill(rule.result, found))
    }
    return .unknown
  }

  /// The texts that `#` and `*` stand for, or nil if the pattern does not fit.
  private static func match(_ parts: [Substring], _ pattern: [Substring]) -> [Substring]? {
    var found: [Substring] = []
    for (place, piece) in pattern.enumerated() {
      guard place < parts.count else { return nil }
      switch piece {
      case "*":
        found.append(Substring(parts[place...].joined(separator: ".")))
        return found
      case "#":
        guard parts[place].allSatisfy(\.isNumber) else { return nil }
        found.append(parts[place])
      case parts[place]: break
      default: return nil
      }
    }
    return parts.count == pattern.count ? found : nil
  }

  private static func fill(_ result: [Substring], _ found: [Substring]) -> String {
    var next = found.makeIterator()
    return result.map { $0 == "#" || $0 == "*" ? next.next() ?? $0 : $0 }.joined(separator: ".")
  }
}

/// The tensors of a file under our names.
struct RenamedTensors {
  var tensors: [String: StoredTensor] = [:]
  /// Names that no rule knows, in the file's order.
  var unknown: [String] = []

  init(_ checkpoint: Checkpoint, by names: TensorNames) {
    for (name, tensor) in checkpoint.tensors {
      switch names.translate(name) {
      case .name(let ours): tensors[ours] = tensor
      case .dropped: break
      case .unknown: unknown.append(name)
      }
    }
  }
}

extension Checkpoint {
  /// The tensors of the vision network in a complete model's file: the image tower of an image-text pair, without the
  /// prefixes under which programs keep it.
  func imageTower() -> Checkpoint {
    var result = self
    // Towers first: the rest of such a file is the text's.
    for tower in ["visual.trunk.", "visual.", "vision_model.", "model.vision_model.", "vision_tower."]
    where result.tensors.contains(where: { $0.name.hasPrefix(tower) }) {
      result = result.under(tower)
    }
    for prefix in [
      "module.", "model.", "teacher.", "backbone.", "vit.", "deit.", "dinov2.", "dinov2_with_registers.",
      "dinov3_vit.",
      "convnext.", "convnextv2.",
    ] where result.tensors.contains(where: { $0.name.hasPrefix(prefix) }) {
      result = result.under(prefix)
    }
    return result
  }

  private func under(_ prefix: String) -> Checkpoint {
    var result = Checkpoint(metadata: metadata)
    for (name, tensor) in tensors where name.hasPrefix(prefix) {
      result.tensors.append(tensor, named: String(name.dropFirst(prefix.count)))
    }
    return result
  }
}
