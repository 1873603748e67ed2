import Foundation

/// A shared library that is opened when it is needed, and never closed: without it the program still starts, and can
/// say what is missing. Its names stay its own and answer for nobody else's.
package struct DynamicLibrary: @unchecked Sendable {
  // Safe: nothing but a handle; libraries are opened and searched from any thread.

  /// The handle that `dlsym` takes.
  package let handle: UnsafeMutableRawPointer

  /// Opens a library.
  ///
  /// - Parameter name: a path, or a name such as "libz.so.1" that the system looks for.
  /// - Throws: the system's account of why it cannot be loaded.
  package init(_ name: String) throws(DynamicLibraryError) {
    WaitingThreads.sleep()
    guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
      throw DynamicLibraryError(reason: dlerror().map { String(cString: $0) } ?? "\(name) cannot be loaded")
    }
    self.handle = handle
  }
}

/// Why a library cannot be opened.
package struct DynamicLibraryError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The system's words: "libz.so.1: cannot open shared object file: No such file or directory".
  package let reason: String

  package var description: String { reason }

  /// Whether it is the library itself that is not there, and not a library that it needs.
  package func isMissing(_ name: String) -> Bool {
    reason.hasPrefix("\(name): cannot open shared object file: No such file")
  }
}
