import CLibSVM
import DynamicLibraries

/// LIBSVM, which only the support vector machines need: opened when the first of them is trained.
package enum VectorMachineLibrary {
  /// The name of its interface, which has been the same for all versions 3.
  static let name = "libsvm.so.3"

  /// Opens LIBSVM, if that has not happened yet.
  ///
  /// - Throws: ``VectorMachineLibraryError`` when it is missing or not whole.
  package static func load() throws(VectorMachineLibraryError) { try loaded.get() }

  private static let loaded: Result<Void, VectorMachineLibraryError> = open()

  private static func open() -> Result<Void, VectorMachineLibraryError> {
    do throws(DynamicLibraryError) {
      let library = try DynamicLibrary(name)
      if let function = clibsvm_find(library.handle) {
        return .failure(VectorMachineLibraryError(what: "\(name) lacks \(String(cString: function))"))
      }
      return .success(())
    } catch {
      let what = error.isMissing(name) ? "LIBSVM is not installed" : "LIBSVM cannot be loaded: \(error)"
      return .failure(VectorMachineLibraryError(what: what))
    }
  }
}

/// Why LIBSVM cannot be used.
package struct VectorMachineLibraryError: Error, Sendable, Hashable, CustomStringConvertible {
  package let what: String
  /// The remedy, a sentence without its full stop.
  package var remedy: String {
    "On Debian and Ubuntu: apt-get install libsvm3. Or leave out the detectors svm-linear, svm-rbf and one-class-svm"
  }

  package var description: String { "\(what). \(remedy)." }
}
