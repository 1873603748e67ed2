/// Why a stage cannot run, and what to do about it.
package struct PipelineError: Error, CustomStringConvertible, Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// The user's input is not usable.
    case badInput
    /// Something that should be there is not: a file, features, verification labels, a model.
    case missingInput
    /// A part of the program's surroundings is missing.
    case missingComponent
    /// Files that were there cannot be reached now; trying again later may help.
    case unreachable
    /// Nothing is wrong with what was given: later, or in another process, the same may succeed.
    case tryAgain
  }

  package var kind: Kind
  package var what: String
  package var remedy: String

  package init(_ kind: Kind, _ what: String, remedy: String) {
    self.kind = kind
    self.what = what
    self.remedy = remedy
  }

  package var description: String {
    // The message of another error may be a complete sentence.
    "\(what.hasSuffix(".") ? String(what.dropLast()) : what). \(remedy)."
  }
}
